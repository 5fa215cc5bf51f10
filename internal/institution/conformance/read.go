package conformance

import (
	"slices"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
)

// maxQuestions is more than any test person needs.
const maxQuestions = 2000

func readsEverythingOnceSigned(t *testing.T, s *session) {
	access, a := s.open(t, fullScope)
	checkInstructions(t, s, a)
	if info := s.consentInfo(t, access); info.State != institution.ConsentPending {
		t.Errorf("the person has not signed, but the consent is %+v", info)
	}
	if polled := s.status(t, access, a); polled.State != institution.AuthorizationPending {
		t.Errorf("the person has not signed, but the authorization is %+v", polled)
	}
	if !s.onPage() && !s.Expect.Push {
		a.Instructions = s.laterInstructions(t, access, a)
	}
	if got := s.act(t, Sign, access, a); got.State != institution.AuthorizationDone || got.Failure != "" {
		t.Errorf("the person has signed, but the authorization is %+v", got)
	}
	info := s.signedInfo(t, access)
	last := s.opened.UTC().AddDate(0, 0, s.Expect.LongestConsent)
	want := time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC)
	switch {
	case s.Expect.Tokens:
		want = last // tokens are given for a time, not until a day
	case s.Expect.Timed && !info.ValidUntil.After(last) && last.Sub(info.ValidUntil) <= 15*time.Minute:
		want = info.ValidUntil
	}
	if info.State != institution.ConsentValid || !info.ValidUntil.Equal(want) || !info.Scope.Balances || !info.Scope.Transactions {
		t.Errorf("granted %+v, want until %s", info, want)
	}
	read := s.askFirst(t, access, fullScope)
	cards := 0
	for _, account := range read.Facts.Accounts {
		if account.Card {
			cards++
		}
		if account.Key == "" || account.ID == "" || account.Currency == "" && !account.Card {
			t.Errorf("an account without key, id or currency: %+v", account)
		}
	}
	if n := len(read.Facts.Accounts); n != s.Expect.Accounts || cards != s.Expect.Cards {
		t.Errorf("%d accounts, %d of them cards, want %d and %d", n, cards, s.Expect.Accounts, s.Expect.Cards)
	}
	c := crawl{facts: read.Facts, from: s.from(), pages: map[string]int{}}
	c.follow(t, s, access, read.Questions)
	c.check(t, s)
}

// laterInstructions returns the instructions two seconds later.
func (s *session) laterInstructions(t *testing.T, access institution.Access, a institution.Authorization) *consent.Instructions {
	t.Helper()
	before := *a.Instructions
	s.Advance(2 * time.Second)
	polled := s.status(t, access, a)
	checkInstructions(t, s, polled)
	if s.Expect.QR == institution.QRText && polled.Instructions.QRData == before.QRData {
		t.Error("the QR text does not change")
	}
	return polled.Instructions
}

// crawl asks all questions of an institution.
type crawl struct {
	facts fact.Facts
	from  string
	pages map[string]int // answers with transactions, by account key
}

func (c *crawl) follow(t *testing.T, s *session, access institution.Access, questions []institution.Question) {
	t.Helper()
	asked := map[institution.Question]bool{}
	for len(questions) > 0 {
		q := questions[0]
		questions = questions[1:]
		switch {
		case asked[q]:
			t.Fatalf("%s is asked twice", q.Kind)
		case q.Account == "" || q.Needs == "":
			t.Errorf("a question without account or needs: %+v", q)
		case len(asked) == maxQuestions:
			t.Fatalf("more than %d questions", maxQuestions)
		}
		asked[q] = true
		read := s.ask(t, access, q)
		c.facts.Add(read.Facts)
		questions = append(questions, read.Questions...)
	}
}

// check expects balances and a history of each account, and each row once.
func (c *crawl) check(t *testing.T, s *session) {
	t.Helper()
	known, balances, pending := map[string]bool{}, map[string]bool{}, false
	for _, a := range c.facts.Accounts {
		known[a.Key] = true
	}
	for _, b := range c.facts.Balances {
		balances[b.Account] = true
	}
	seen := map[string]bool{}
	for _, h := range c.facts.Histories {
		c.pages[h.Account]++
		for _, row := range h.Transactions {
			pending = pending || !row.Booked
			if row.Booked && (row.BookingDate.Format(time.DateOnly) < c.from || row.BookingDate.After(s.Now())) {
				t.Errorf("a row is booked on %s", row.BookingDate)
			}
			if id := h.Account + " " + row.ID; row.ID != "" && seen[id] && !s.Expect.Repeats {
				t.Error("a row is returned twice")
			} else {
				seen[id] = true
			}
		}
	}
	most := 0
	for key := range known {
		if !balances[key] || c.pages[key] == 0 {
			t.Errorf("an account has balances: %t, pages of transactions: %d", balances[key], c.pages[key])
		}
		most = max(most, c.pages[key])
	}
	if most < s.Expect.Pages || pending != s.Expect.Pending {
		t.Errorf("%d pages, want %d; pending %t, want %t", most, s.Expect.Pages, pending, s.Expect.Pending)
	}
}

// maxSmaller is more questions than are asked in place of one.
const maxSmaller = 20

// asksForLess: asking in place of a refused question comes to an end, whatever the
// refusal, is about the same thing, and makes no question of one that is not refused.
func asksForLess(t *testing.T, s *session) {
	access, _ := s.grant(t, fullScope)
	questions := append(s.Bank.Start(fullScope, s.from()), s.askFirst(t, access, fullScope).Questions...)
	for _, first := range questions {
		for _, kind := range []institution.ErrorKind{institution.Refused, institution.NotCovered, institution.SCARequired} {
			refused := &institution.Error{Kind: kind, HTTPStatus: 400, NotCounted: true}
			asked := map[institution.Question]bool{}
			for q, ok := first, true; ok; {
				if asked[q] || len(asked) == maxSmaller {
					t.Fatalf("%s after %s: question %d is %+v", first.Kind, kind, len(asked), q)
				}
				asked[q] = true
				if q.Kind != first.Kind || q.Account != first.Account || q.Needs != first.Needs || q.Essential != first.Essential || q.From < first.From {
					t.Errorf("%+v in place of %+v", q, first)
				}
				var smaller institution.Question
				if smaller, ok = s.Bank.Instead(q, refused, s.Now()); ok {
					q = smaller
				}
			}
		}
		for _, kind := range []institution.ErrorKind{institution.Unreachable, institution.Busy, institution.Preparing, institution.AccessExceeded,
			institution.ConsentGone, institution.ConsentOver, institution.CertificateRejected} {
			if q, ok := s.Bank.Instead(first, &institution.Error{Kind: kind, HTTPStatus: 400}, s.Now()); ok {
				t.Errorf("%s after %s: asks %+v", first.Kind, kind, q)
			}
		}
	}
}

// grantsOneKind: under a consent for balances, Read returns no questions about
// transactions, and a question about them fails.
func grantsOneKind(t *testing.T, s *session) {
	full, _ := s.grant(t, fullScope)
	questions := s.askFirst(t, full, fullScope).Questions
	scope := consent.Scope{Balances: true}
	access, info := s.grant(t, scope)
	if !info.Scope.Balances || info.Scope.Transactions {
		t.Errorf("granted %+v", info.Scope)
	}
	read := s.askFirst(t, access, scope)
	if len(read.Facts.Accounts) == 0 {
		t.Fatal("no accounts")
	}
	for _, q := range read.Questions {
		switch {
		case q.CoveredBy(scope):
		case s.Expect.AsksAll:
			questions = slices.Insert(questions, 0, q)
		default:
			t.Errorf("a question for %s, which the consent does not cover", q.Kind)
		}
	}
	for _, q := range questions {
		if q.Needs == institution.NeedsTransactions {
			_, err := s.fetch(t, access, q)
			expectKind(t, "read transactions", err, institution.NotCovered)
			return
		}
	}
	t.Error("no question about transactions under a consent with full scope")
}

func grantsOneAccount(t *testing.T, s *session) {
	if s.Expect.PicksAccounts {
		t.Skip("the person picks the accounts")
	}
	access, _ := s.grant(t, fullScope)
	var iban string
	for _, a := range s.askFirst(t, access, fullScope).Facts.Accounts {
		if a.IBAN != "" {
			iban = a.IBAN
		}
	}
	scope := consent.Scope{AccountIDs: []string{iban}, Balances: true, Transactions: true}
	access, info := s.grant(t, scope)
	if len(info.Scope.AccountIDs) != 1 || info.Scope.AccountIDs[0] != iban {
		t.Errorf("granted %d accounts", len(info.Scope.AccountIDs))
	}
	if got := s.askFirst(t, access, scope).Facts.Accounts; len(got) != 1 || got[0].IBAN != iban {
		t.Errorf("%d accounts can be read", len(got))
	}
}
