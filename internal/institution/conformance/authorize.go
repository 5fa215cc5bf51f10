package conformance

import (
	"cmp"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// checkInstructions checks that the instructions are those that the profile
// promises.
func checkInstructions(t *testing.T, s *session, a institution.Authorization) {
	t.Helper()
	i := a.Instructions
	if s.Expect.Push && i == nil && a.State == institution.AuthorizationPending {
		return
	}
	if a.State != institution.AuthorizationPending || i == nil {
		t.Fatalf("no instructions: %+v", a)
	}
	if i.RedirectURL != "" {
		s.checkPage(t, a)
		return
	}
	complete := map[institution.QRKind]bool{
		institution.QRText: i.QRData != "" && i.AutoStartToken != "", institution.QRNone: i.AutoStartToken != "" && i.QRData == "",
		institution.QRImage: i.QRImage != "" && i.QRData == "", institution.QRSecret: i.QRStartToken != "" && i.QRSecret != "" && i.QRData == "",
	}
	if !complete[s.Expect.QR] || s.Bank.Profile().QR != s.Expect.QR {
		t.Errorf("instructions of a bank of QR kind %s: %+v", s.Expect.QR, *i)
	}
	if !i.RefreshedAt.Equal(s.Now()) {
		t.Errorf("refreshed at %s, want %s", i.RefreshedAt, s.Now())
	}
	if i.UserMessage.Code == "" || i.UserMessage.Text == "" {
		t.Errorf("no message for the person: %+v", i.UserMessage)
	}
}

// failsAfter returns a test that the authorization fails after an action.
func failsAfter(act Action, want consent.FailureCode) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		if act == SignAsOther && s.Expect.BindsOrder {
			t.Skip("BankID lets nobody else sign")
		}
		if act == Refuse && !s.onPage() {
			t.Skip("the bank has no page")
		}
		access, a := s.open(t, fullScope)
		checkInstructions(t, s, a)
		checkFailed(t, s, access, s.act(t, act, access, a), want)
	}
}

func checkFailure(t *testing.T, s *session, access institution.Access, a institution.Authorization, want consent.FailureCode) {
	t.Helper()
	checkFailed(t, s, access, s.status(t, access, a), want)
}

func checkFailed(t *testing.T, s *session, access institution.Access, got institution.Authorization, want consent.FailureCode) {
	t.Helper()
	if (s.onPage() || s.Expect.Push) && want == consent.AuthenticationMismatch && got.Failure != "" {
		want = got.Failure // the bank does not say who signed
	}
	if s.Expect.Unexplained && want == consent.AuthenticationCancelled && got.Failure != want {
		want = consent.AuthenticationFailed
		if got.Failure == consent.Rejected { // the consent says it
			want = got.Failure
		}
	}
	if got.State != institution.AuthorizationFailed || got.Failure != want {
		t.Errorf("got %+v, want %s", got, want)
	}
	state := institution.ConsentRejected
	if s.Expect.Tokens || s.Expect.Renamed {
		state = institution.ConsentPending // there is nothing that could be said of it
	}
	if info := s.consentInfo(t, access); info.State != state {
		t.Errorf("the consent is %+v", info)
	}
	_, err := s.fetch(t, access, s.essential(fullScope))
	s.expectNoAccess(t, "read with a rejected consent", access, err)
}

// timesOut returns a test of the time-outs of BankID (docs/reference/banks.md 12.4).
func timesOut(opened bool) func(*testing.T, *session) {
	return func(t *testing.T, s *session) {
		s.needsApp(t)
		access, a := s.open(t, fullScope)
		if end := a.Instructions.ExpiresAt; !end.IsZero() && !end.After(s.Now()) {
			t.Errorf("the instructions expire at %s, now is %s", end, s.Now())
		}
		if opened {
			s.Act(t, OpenApp, *a.Instructions)
			if got := s.status(t, access, a); got.State != institution.AuthorizationPending {
				t.Errorf("got %+v", got)
			}
			s.Advance(4 * time.Minute)
		} else {
			s.Advance(45 * time.Second)
		}
		checkFailure(t, s, access, a, consent.AuthenticationTimeout)
	}
}

// failsBothOrders: if a person has two orders, BankID cancels both.
func failsBothOrders(t *testing.T, s *session) {
	s.needsApp(t)
	first, a := s.open(t, fullScope)
	_, second := s.open(t, fullScope)
	if second.State != institution.AuthorizationFailed || second.Failure != cmp.Or(s.Expect.Refused, consent.AuthenticationConflict) {
		t.Errorf("the second authorization is %+v", second)
	}
	if got := s.status(t, first, a); got.State != institution.AuthorizationFailed || got.Failure != cmp.Or(s.Expect.Overtaken, consent.AuthenticationConflict) {
		t.Errorf("the first authorization is %+v", got)
	}
}

func recognisesRetry(t *testing.T, s *session) {
	if !s.Bank.Profile().ReplaySafe {
		t.Skip("the bank does not recognise a retry")
	}
	r := s.request(t, fullScope)
	first, err := s.Bank.OpenConsent(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Bank.OpenConsent(t.Context(), r)
	if err != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("the same request created %+v, then %+v, %v", first, again, err)
	}
	r.RequestID = uuid.NewString()
	if other, err := s.Bank.OpenConsent(t.Context(), r); err != nil || other.ConsentID == first.ConsentID {
		t.Errorf("another request returned the same consent: %v", err)
	}
}

func needsPerson(t *testing.T, s *session) {
	request := s.request(t, fullScope)
	opened, err := s.Bank.OpenConsent(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	access := institution.Access{ConsentID: opened.ConsentID, PSU: s.Person}
	s.keepOpened(access, request)
	r := institution.AuthorizeRequest{RequestID: "7a1c41a6-6cbd-4e0d-8c77-8d4a4a0a5a10", ConsentID: access.ConsentID, PSU: s.Person, Token: request.Token, Way: request.Way}
	r.PSU.PersonalNumber = ""
	a, err := s.Bank.StartAuthorization(t.Context(), r)
	if opened.Started != nil { // it cannot be started again
		s.Advance(s.Bank.Profile().Deadline)
		request.Token = s.logIn(t).Access // the one of before may be over
		request.RequestID, request.PSU.PersonalNumber = uuid.NewString(), ""
		if opened, err = s.Bank.OpenConsent(t.Context(), request); err == nil && opened.Started != nil {
			a = *opened.Started
		}
	}
	if s.Bank.Profile().NeedsPSUID {
		expectKind(t, "authorize without a personal number", err, institution.PersonRefused)
	} else if err != nil || a.Instructions == nil && !s.Expect.Push {
		t.Errorf("authorize without a personal number: %+v, %v", a, err)
	}
	o := request
	o.RequestID, o.PSU = uuid.NewString(), s.Person
	o.PSU.IPAddress = ""
	_, err = s.Bank.OpenConsent(t.Context(), o)
	if s.Bank.Profile().OpensWithoutAddress {
		if err != nil {
			t.Errorf("open without the IP address of the person: %v", err)
		}
		return
	}
	expectKind(t, "open without an IP address", err, institution.Refused)
}
