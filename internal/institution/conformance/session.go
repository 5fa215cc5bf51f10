package conformance

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// session is one person at one bank.
type session struct {
	Setup
	tokens map[consent.RemoteID]institution.Tokens
	ways   map[consent.RemoteID]institution.Way
	names  map[consent.RemoteID]consent.RemoteID // those that the bank gave later
	login  institution.Tokens                    // of the last login before a consent
	opened time.Time                             // when the last consent was opened
}

var fullScope = consent.Scope{Balances: true, Transactions: true}

// request returns a request for a consent. The person has logged in where that is before
// it.
func (s *session) request(t *testing.T, scope consent.Scope) institution.OpenRequest {
	t.Helper()
	return institution.OpenRequest{
		RequestID: uuid.NewString(), Scope: scope, ValidUntil: s.Now().AddDate(0, 0, 180), Recurring: true,
		PSU: s.Person, OtherDevice: s.Expect.QR != institution.QRNone, Way: s.newWay(), Token: s.logIn(t).Access,
	}
}

// open opens a consent and starts its authorization, unless the bank has.
func (s *session) open(t *testing.T, scope consent.Scope) (institution.Access, institution.Authorization) {
	t.Helper()
	r := s.request(t, scope)
	opened, err := s.Bank.OpenConsent(t.Context(), r)
	if err != nil || opened.ConsentID == "" {
		t.Fatalf("open: %+v, %v", opened, err)
	}
	s.opened = s.Now()
	access := institution.Access{ConsentID: opened.ConsentID, PSU: s.Person}
	s.keepOpened(access, r)
	if opened.Started != nil {
		return access, *opened.Started
	}
	return access, s.start(t, access)
}

func (s *session) start(t *testing.T, access institution.Access) institution.Authorization {
	t.Helper()
	a, err := s.Bank.StartAuthorization(t.Context(), institution.AuthorizeRequest{
		RequestID: uuid.NewString(), ConsentID: access.ConsentID, PSU: s.Person, OtherDevice: s.Expect.QR != institution.QRNone,
		Token: s.with(access).Token, Way: s.ways[access.ConsentID],
	})
	if err != nil {
		t.Fatalf("start the authorization: %+v, %v", a, err)
	}
	return a
}

// status returns the state of an authorization. The state of the consent is that of one of
// which the bank tells nothing else.
func (s *session) status(t *testing.T, access institution.Access, a institution.Authorization) institution.Authorization {
	t.Helper()
	if a.ID == "" && a.StatusLink == "" {
		return s.statusByConsent(t, access)
	}
	got, err := s.Bank.AuthorizationStatus(t.Context(), s.with(access), a.ID, a.StatusLink, s.Expect.QR != institution.QRNone)
	if err != nil {
		t.Fatalf("read the status of the authorization: %v", err)
	}
	if got.Brought != nil {
		if done := s.complete(t, access, a, got.Brought); done.State == institution.AuthorizationFailed {
			t.Fatalf("complete: %s", done.Failure)
		}
	}
	return got
}

// grant opens a consent and lets the person sign it.
func (s *session) grant(t *testing.T, scope consent.Scope) (institution.Access, institution.ConsentInfo) {
	t.Helper()
	access, a := s.open(t, scope)
	if got := s.act(t, Sign, access, a); got.State != institution.AuthorizationDone {
		t.Fatalf("the person has signed, but the authorization is %+v", got)
	}
	info := s.signedInfo(t, access)
	if info.State != institution.ConsentValid {
		t.Fatalf("the person has signed, but the consent is %+v", info)
	}
	return access, info
}

func (s *session) consentInfo(t *testing.T, access institution.Access) institution.ConsentInfo {
	t.Helper()
	info, err := s.Bank.Consent(t.Context(), s.with(access))
	if s.refreshes(t, access, &err) {
		info, err = s.Bank.Consent(t.Context(), s.with(access))
	}
	switch {
	case (s.Expect.Tokens || s.Expect.EndsLogin || s.Expect.Forgets && s.tokens[access.ConsentID] != (institution.Tokens{})) && err != nil && institution.KindOf(err) == institution.ConsentGone:
		return institution.ConsentInfo{State: institution.ConsentRevoked}
	case err != nil:
		t.Fatalf("read the consent: %v", err)
	}
	return info
}

// fetch asks a question. Like a collection, it retries while the bank is busy, and asks
// for less where the bank refuses.
func (s *session) fetch(t *testing.T, access institution.Access, q institution.Question) (institution.Answer, error) {
	t.Helper()
	for range 40 {
		answer, err := s.Bank.Fetch(t.Context(), s.with(access), q)
		if s.refreshes(t, access, &err) {
			continue
		}
		if err == nil && (answer.Question != q || !answer.FetchedAt.Equal(s.Now())) {
			t.Errorf("the answer has the question %+v and the time %s", answer.Question, answer.FetchedAt)
		}
		var failed *institution.Error
		if !errors.As(err, &failed) {
			return answer, err
		}
		if !failed.Kind.Transient() {
			smaller, ok := s.Bank.Instead(q, failed, s.Now())
			if !ok {
				return answer, err
			}
			q = smaller
			continue
		}
		s.Advance(max(failed.RetryAfter, time.Second))
	}
	t.Fatal("the bank stays busy")
	return institution.Answer{}, nil
}

// historyDays is the number of days of transactions that the suite requests.
const historyDays = 365

func (s *session) from() string {
	return s.Now().UTC().AddDate(0, 0, -historyDays).Format(time.DateOnly)
}

// essential returns the first essential question.
func (s *session) essential(scope consent.Scope) institution.Question {
	for _, q := range s.Bank.Start(scope, s.from()) {
		if q.Essential {
			return q
		}
	}
	return institution.Question{}
}

// ask fetches and reads the answer to a question. It fails the test if the
// answer deviates, or if the answer gives another reading after a round trip through JSON.
func (s *session) ask(t *testing.T, access institution.Access, q institution.Question) institution.Reading {
	t.Helper()
	answer, err := s.fetch(t, access, q)
	if err != nil {
		t.Fatalf("ask for %s: %v", q.Kind, err)
	}
	read, err := s.Bank.Read(answer)
	if err != nil || len(read.Deviations) != 0 {
		t.Fatalf("read %s: deviations %v, %v", q.Kind, read.Deviations, err)
	}
	var stored institution.Answer
	encoded, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(encoded, &stored)
	}
	if err != nil || stored.Question != answer.Question {
		t.Errorf("the question %+v is stored as %+v, %v", q, stored.Question, err)
	}
	if again, err := s.Bank.Read(stored); err != nil || !reflect.DeepEqual(again, read) {
		t.Errorf("an answer to %s gives another reading once stored, %v", q.Kind, err)
	}
	return read
}

// askFirst asks the first questions, and those that they lead to which are about no account
// that is known, and returns their readings together.
func (s *session) askFirst(t *testing.T, access institution.Access, scope consent.Scope) institution.Reading {
	t.Helper()
	var all institution.Reading
	ask := func(q institution.Question) []institution.Question {
		read := s.ask(t, access, q)
		all.Facts.Add(read.Facts)
		return read.Questions
	}
	for _, q := range s.Bank.Start(scope, s.from()) {
		for _, q := range ask(q) {
			if q.Account == "" {
				all.Questions = append(all.Questions, ask(q)...)
			} else {
				all.Questions = append(all.Questions, q)
			}
		}
	}
	return all
}

// expectKind fails the test if err is not of the kind.
func expectKind(t *testing.T, what string, err error, want institution.ErrorKind) *institution.Error {
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
