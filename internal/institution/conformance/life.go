package conformance

import (
	"testing"
	"time"

	"samla/internal/institution"
)

func withdrawn(t *testing.T, s *session) {
	access, _ := s.granted(t, everything)
	for range 2 { // the second finds it over
		if err := s.Bank.Revoke(t.Context(), access); err != nil {
			t.Errorf("revoke: %v", err)
		}
	}
	if info := s.info(t, access); info.State != institution.ConsentRevoked {
		t.Errorf("the consent is %+v", info)
	}
	_, err := s.fetch(t, access, s.essential(everything))
	kind(t, "read with a withdrawn consent", err, institution.ConsentGone)
}

func unknown(t *testing.T, s *session) {
	access := institution.Access{ConsentID: "b0000000-0000-4000-8000-000000000000", PSU: s.Person}
	_, err := s.Bank.Consent(t.Context(), access)
	kind(t, "read it", err, institution.ConsentGone)
	_, err = s.fetch(t, access, s.essential(everything))
	kind(t, "read with it", err, institution.ConsentGone)
	if err := s.Bank.Revoke(t.Context(), access); err != nil {
		t.Errorf("revoke: %v", err)
	}
}

func over(t *testing.T, s *session) {
	access, info := s.granted(t, everything)
	s.Advance(info.ValidUntil.Sub(s.Now()) - time.Second)
	if got := s.info(t, access); got.State != institution.ConsentValid {
		t.Errorf("on its last day the consent is %+v", got)
	}
	s.Advance(time.Minute)
	if got := s.info(t, access); got.State != institution.ConsentExpired {
		t.Errorf("after its last day the consent is %+v", got)
	}
	_, err := s.fetch(t, access, s.essential(everything))
	kind(t, "read with it", err, institution.ConsentOver)
}

// unattended reads are counted by the bank; those with the person are not.
func unattended(t *testing.T, s *session) {
	access, _ := s.granted(t, everything)
	alone := access
	alone.PSU.IPAddress = ""
	q := s.essential(everything)
	for range s.Bank.Profile().DailyLimit {
		if _, err := s.fetch(t, alone, q); err != nil {
			t.Fatalf("within the limit: %v", err)
		}
	}
	_, err := s.fetch(t, alone, q)
	exceeded := kind(t, "beyond the limit", err, institution.AccessExceeded)
	if _, err := s.fetch(t, access, q); err != nil {
		t.Errorf("with the person: %v", err)
	}
	s.Advance(max(exceeded.RetryAfter, 24*time.Hour))
	if _, err := s.fetch(t, alone, q); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
