package conformance

import (
	"testing"
	"time"

	"samla/internal/institution"
)

func revokes(t *testing.T, s *session) {
	access, _ := s.grant(t, fullScope)
	for n := range 2 { // the consent has ended before the second call
		err := s.Bank.Revoke(t.Context(), s.with(access))
		if s.refreshes(t, access, &err) {
			t.Error("the tokens of a revoked consent are replaced")
		}
		if err != nil && !(n == 1 && s.Expect.EndsLogin && institution.KindOf(err) == institution.ConsentGone) { // its tokens have ended too
			t.Errorf("revoke: %v", err)
		}
	}
	if info := s.consentInfo(t, access); info.State != institution.ConsentRevoked {
		t.Errorf("the consent is %+v", info)
	}
	_, err := s.fetch(t, access, s.essential(fullScope))
	expectKind(t, "read with a revoked consent", err, institution.ConsentGone)
	if s.Expect.EndsLogin {
		s.endsLogin(t)
	}
}

// endsLogin revokes the tokens of a login that no consent followed.
func (s *session) endsLogin(t *testing.T) {
	t.Helper()
	given := s.logIn(t)
	access := institution.Access{Token: given.Access, Refresh: given.Refresh, PSU: s.Person}
	for range 2 { // a token that is dead is no error
		if err := s.Bank.Revoke(t.Context(), access); err != nil {
			t.Errorf("revoke a login: %v", err)
		}
	}
	_, err := s.Bank.(institution.Refresher).Refresh(t.Context(), access)
	expectKind(t, "refresh the tokens of a revoked login", err, institution.ConsentGone)
}

func reportsUnknownConsent(t *testing.T, s *session) {
	access := institution.Access{ConsentID: "b0000000-0000-4000-8000-000000000000", PSU: s.Person}
	access.Token = s.logIn(t).Access
	_, err := s.Bank.Consent(t.Context(), access)
	expectKind(t, "read the consent", err, institution.ConsentGone)
	_, err = s.fetch(t, access, s.essential(fullScope))
	s.expectNoAccess(t, "read with it", access, err)
	if err := s.Bank.Revoke(t.Context(), access); err != nil {
		t.Errorf("revoke: %v", err)
	}
}

func expires(t *testing.T, s *session) {
	if s.Expect.TokenLife > 0 {
		t.Skip("the tokens end before the consent")
	}
	access, info := s.grant(t, fullScope)
	s.Advance(info.ValidUntil.Sub(s.Now()) - time.Second)
	if got := s.consentInfo(t, access); got.State != institution.ConsentValid {
		t.Errorf("on its last day the consent is %+v", got)
	}
	s.Advance(time.Minute)
	if got := s.consentInfo(t, access); got.State != institution.ConsentExpired {
		t.Errorf("after its last day the consent is %+v", got)
	}
	_, err := s.fetch(t, access, s.essential(fullScope))
	expectKind(t, "read with it", err, institution.ConsentOver)
}

// limitsUnattendedReads: the bank counts reads without the person only.
func limitsUnattendedReads(t *testing.T, s *session) {
	access, _ := s.grant(t, fullScope)
	unattended := access
	unattended.PSU.IPAddress = ""
	q := s.essential(fullScope)
	if s.Expect.Uncounted {
		q = s.askFirst(t, access, fullScope).Questions[0]
	}
	for range s.Bank.Profile().DailyLimit {
		if _, err := s.fetch(t, unattended, q); err != nil {
			t.Fatalf("within the limit: %v", err)
		}
	}
	_, err := s.fetch(t, unattended, q)
	exceeded := expectKind(t, "beyond the limit", err, institution.AccessExceeded)
	if _, err := s.fetch(t, access, q); err != nil {
		t.Errorf("with the person: %v", err)
	}
	if life := s.Expect.TokenLife; life > 0 && life < 24*time.Hour {
		return
	}
	s.Advance(max(exceeded.RetryAfter, 24*time.Hour))
	if _, err := s.fetch(t, unattended, q); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
