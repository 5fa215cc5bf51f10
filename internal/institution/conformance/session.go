package conformance

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// session is one person at one bank.
type session struct {
	Setup
}

var everything = consent.Scope{Balances: true, Transactions: true}

func (s *session) request(scope consent.Scope) institution.OpenRequest {
	return institution.OpenRequest{
		RequestID: uuid.NewString(), Scope: scope, ValidUntil: s.Now().AddDate(0, 0, 180), Recurring: true,
		PSU: s.Person, OtherDevice: s.Expect.QR != institution.QRNone,
	}
}

// open makes a consent and starts its authorisation.
func (s *session) open(t *testing.T, scope consent.Scope) (institution.Access, institution.Authorization) {
	t.Helper()
	made, err := s.Bank.OpenConsent(t.Context(), s.request(scope))
	if err != nil || made.ConsentID == "" {
		t.Fatalf("open: %+v, %v", made, err)
	}
	access := institution.Access{ConsentID: made.ConsentID, PSU: s.Person}
	return access, s.start(t, access)
}

func (s *session) start(t *testing.T, access institution.Access) institution.Authorization {
	t.Helper()
	a, err := s.Bank.StartAuthorization(t.Context(), institution.AuthorizeRequest{
		RequestID: uuid.NewString(), ConsentID: access.ConsentID, PSU: s.Person, OtherDevice: s.Expect.QR != institution.QRNone,
	})
	if err != nil || a.ID == "" {
		t.Fatalf("start the authorisation: %+v, %v", a, err)
	}
	return a
}

func (s *session) status(t *testing.T, access institution.Access, a institution.Authorization) institution.Authorization {
	t.Helper()
	got, err := s.Bank.AuthorizationStatus(t.Context(), access, a.ID, a.StatusLink, s.Expect.QR != institution.QRNone)
	if err != nil {
		t.Fatalf("ask for the authorisation's status: %v", err)
	}
	return got
}

// granted makes a consent that the person has signed.
func (s *session) granted(t *testing.T, scope consent.Scope) (institution.Access, institution.ConsentInfo) {
	t.Helper()
	access, a := s.open(t, scope)
	s.Act(t, Approve, *a.Instructions)
	if got := s.status(t, access, a); got.State != institution.AuthorizationDone {
		t.Fatalf("the person has signed, but the authorisation is %+v", got)
	}
	info := s.info(t, access)
	if info.State != institution.ConsentValid {
		t.Fatalf("the person has signed, but the consent is %+v", info)
	}
	return access, info
}

func (s *session) info(t *testing.T, access institution.Access) institution.ConsentInfo {
	t.Helper()
	info, err := s.Bank.Consent(t.Context(), access)
	if err != nil {
		t.Fatalf("read the consent: %v", err)
	}
	return info
}

// fetch asks again as long as the bank only wants us to wait, as a collection
// does.
func (s *session) fetch(t *testing.T, access institution.Access, q institution.Query) (institution.Answer, error) {
	t.Helper()
	for range 20 {
		answer, err := s.Bank.Fetch(t.Context(), access, q)
		if err == nil && (answer.Query != q || !answer.FetchedAt.Equal(s.Now())) {
			t.Errorf("the answer is about %+v at %s", answer.Query, answer.FetchedAt)
		}
		var failed *institution.Error
		if !errors.As(err, &failed) || !failed.Kind.Passing() {
			return answer, err
		}
		s.Advance(max(failed.RetryAfter, time.Second))
	}
	t.Fatal("the bank never has time")
	return institution.Answer{}, nil
}

// accounts follows the plan.
func (s *session) accounts(t *testing.T, access institution.Access) []institution.Account {
	t.Helper()
	var all []institution.Account
	for _, q := range s.Bank.Plan() {
		answer, err := s.fetch(t, access, q)
		if err != nil {
			t.Fatalf("read %s: %v", q.Kind, err)
		}
		read, err := s.Bank.ReadAccounts(answer)
		if err != nil {
			t.Fatalf("understand %s: %v", q.Kind, err)
		}
		all = append(all, read...)
	}
	return all
}

// kind fails the test when err is not of the kind.
func kind(t *testing.T, what string, err error, want institution.ErrorKind) *institution.Error {
	t.Helper()
	var failed *institution.Error
	if !errors.As(err, &failed) {
		t.Fatalf("%s: got %v, want %s", what, err, want)
	}
	if failed.Kind != want {
		t.Fatalf("%s: got %v, want %s", what, err, want)
	}
	return failed
}
