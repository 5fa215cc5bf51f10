package conformance

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// instructed checks that the person has been given what the profile promises.
func instructed(t *testing.T, s *session, a institution.Authorization) {
	t.Helper()
	i := a.Instructions
	if a.State != institution.AuthorizationPending || i == nil {
		t.Fatalf("the person has nothing to act on: %+v", a)
	}
	given := map[institution.QRKind]bool{
		institution.QRText: i.QRData != "" && i.AutoStartToken != "", institution.QRNone: i.AutoStartToken != "" && i.QRData == "",
		institution.QRImage: i.QRImage != "" && i.QRData == "",
	}
	if !given[s.Expect.QR] || s.Bank.Profile().QR != s.Expect.QR {
		t.Errorf("a bank of QR kind %s gives %+v", s.Expect.QR, *i)
	}
	if !i.RefreshedAt.Equal(s.Now()) {
		t.Errorf("refreshed at %s, it is %s", i.RefreshedAt, s.Now())
	}
	if i.UserMessage.Code == "" || i.UserMessage.Text == "" {
		t.Errorf("no message for the person: %+v", i.UserMessage)
	}
}

// ends tries a deed that ends the authorisation without a grant.
func ends(d Deed, want consent.FailureCode) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		access, a := s.open(t, everything)
		instructed(t, s, a)
		s.Act(t, d, *a.Instructions)
		failed(t, s, access, a, want)
	}
}

func failed(t *testing.T, s *session, access institution.Access, a institution.Authorization, want consent.FailureCode) {
	t.Helper()
	got := s.status(t, access, a)
	if got.State != institution.AuthorizationFailed || got.Failure != want {
		t.Errorf("got %+v, want %s", got, want)
	}
	if info := s.info(t, access); info.State != institution.ConsentRejected {
		t.Errorf("the consent is %+v", info)
	}
	_, err := s.Bank.Fetch(t.Context(), access, s.essential(everything))
	kind(t, "read with a rejected consent", err, institution.ConsentGone)
}

// lateness lets BankID's time-outs pass (docs/reference/banks.md 12.4).
func lateness(opened bool) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		access, a := s.open(t, everything)
		if end := a.Instructions.ExpiresAt; end.Sub(s.Now()) < time.Minute {
			t.Errorf("the instructions end at %s, it is %s", end, s.Now())
		}
		if opened {
			s.Act(t, Open, *a.Instructions)
			if got := s.status(t, access, a); got.State != institution.AuthorizationPending {
				t.Errorf("got %+v", got)
			}
			s.Advance(4 * time.Minute)
		} else {
			s.Advance(45 * time.Second)
		}
		failed(t, s, access, a, consent.AuthenticationTimeout)
	}
}

// conflict: BankID ends both authorisations of a person who has two.
func conflict(t *testing.T, s *session) {
	first, a := s.open(t, everything)
	made, err := s.Bank.OpenConsent(t.Context(), s.request(everything))
	if err != nil {
		t.Fatal(err)
	}
	second := s.start(t, institution.Access{ConsentID: made.ConsentID, PSU: s.Person})
	if second.State != institution.AuthorizationFailed || second.Failure != consent.AuthenticationConflict {
		t.Errorf("the second is %+v", second)
	}
	if got := s.status(t, first, a); got.State != institution.AuthorizationFailed || got.Failure != consent.AuthenticationConflict {
		t.Errorf("the first is %+v", got)
	}
}

func replay(t *testing.T, s *session) {
	if !s.Bank.Profile().ReplaySafe {
		t.Skip("the bank makes a new consent each time")
	}
	r := s.request(everything)
	first, err := s.Bank.OpenConsent(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Bank.OpenConsent(t.Context(), r)
	if err != nil || again != first {
		t.Errorf("the same request made %+v, then %+v, %v", first, again, err)
	}
	r = s.request(everything)
	if other, err := s.Bank.OpenConsent(t.Context(), r); err != nil || other == first {
		t.Errorf("another request made the same consent: %v", err)
	}
}

func nobody(t *testing.T, s *session) {
	made, err := s.Bank.OpenConsent(t.Context(), s.request(everything))
	if err != nil {
		t.Fatal(err)
	}
	access := institution.Access{ConsentID: made.ConsentID, PSU: s.Person}
	r := institution.AuthorizeRequest{RequestID: "7a1c41a6-6cbd-4e0d-8c77-8d4a4a0a5a10", ConsentID: access.ConsentID, PSU: s.Person}
	r.PSU.PersonalNumber = ""
	a, err := s.Bank.StartAuthorization(t.Context(), r)
	if s.Bank.Profile().NeedsPSUID {
		kind(t, "authorise without a personal number", err, institution.PersonRefused)
	} else if err != nil || a.Instructions == nil {
		t.Errorf("anybody may sign here: %+v, %v", a, err)
	}
	o := s.request(everything)
	o.PSU.IPAddress = ""
	_, err = s.Bank.OpenConsent(t.Context(), o)
	kind(t, "open without an address", err, institution.Refused)
}
