package conformance

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
)

// maxQuestions is more than any person of a test needs.
const maxQuestions = 2000

func wholeJourney(t *testing.T, s *session) {
	access, a := s.open(t, everything)
	instructed(t, s, a)
	if info := s.info(t, access); info.State != institution.ConsentPending {
		t.Errorf("nobody has signed, but the consent is %+v", info)
	}
	before := *a.Instructions
	s.Advance(2 * time.Second)
	polled := s.status(t, access, a)
	instructed(t, s, polled)
	if s.Expect.QR == institution.QRText && polled.Instructions.QRData == before.QRData {
		t.Error("the QR text does not change")
	}
	s.Act(t, Approve, *polled.Instructions)
	if got := s.status(t, access, a); got.State != institution.AuthorizationDone || got.Failure != "" {
		t.Errorf("signed, but %+v", got)
	}
	info := s.info(t, access)
	last := s.Now().UTC().AddDate(0, 0, s.Expect.LongestConsent)
	want := time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC)
	if info.State != institution.ConsentValid || !info.ValidUntil.Equal(want) || !info.Scope.Balances || !info.Scope.Transactions {
		t.Errorf("granted %+v, want until %s", info, want)
	}
	read := s.lists(t, access, everything)
	cards := 0
	for _, account := range read.Facts.Accounts {
		if account.Card {
			cards++
		}
		if account.Key == "" || account.ID == "" || account.Currency == "" {
			t.Errorf("an account without key, id or currency: %+v", account)
		}
	}
	if n := len(read.Facts.Accounts); n != s.Expect.Accounts || cards != s.Expect.Cards {
		t.Errorf("%d accounts, %d of them cards, want %d and %d", n, cards, s.Expect.Accounts, s.Expect.Cards)
	}
	w := walk{told: read.Facts, from: s.from(), pages: map[string]int{}}
	w.follow(t, s, access, read.Questions)
	w.check(t, s)
}

// walk follows the questions of an institution to their end.
type walk struct {
	told  fact.Facts
	from  string
	pages map[string]int // answers with transactions, by account key
}

func (w *walk) follow(t *testing.T, s *session, access institution.Access, questions []institution.Question) {
	t.Helper()
	asked := map[institution.Question]bool{}
	for len(questions) > 0 {
		q := questions[0]
		questions = questions[1:]
		switch {
		case asked[q]:
			t.Fatalf("%s is asked twice", q.Kind)
		case q.Account == "" || q.Needs == "":
			t.Errorf("a question names no account, or nothing that a consent covers: %+v", q)
		case len(asked) == maxQuestions:
			t.Fatal("the questions do not end")
		}
		asked[q] = true
		read := s.ask(t, access, q)
		w.told.Add(read.Facts)
		questions = append(questions, read.Questions...)
	}
}

// check expects balances and a history of each account, and each row once.
func (w *walk) check(t *testing.T, s *session) {
	t.Helper()
	known, balances, pending := map[string]bool{}, map[string]bool{}, false
	for _, a := range w.told.Accounts {
		known[a.Key] = true
	}
	for _, b := range w.told.Balances {
		balances[b.Account] = true
	}
	seen := map[string]bool{}
	for _, h := range w.told.Histories {
		w.pages[h.Account]++
		for _, row := range h.Transactions {
			pending = pending || !row.Booked
			if row.Booked && (row.BookingDate.Format(time.DateOnly) < w.from || row.BookingDate.After(s.Now())) {
				t.Errorf("a row is booked on %s", row.BookingDate)
			}
			if id := h.Account + " " + row.ID; row.ID != "" && seen[id] {
				t.Error("a row came twice")
			} else {
				seen[id] = true
			}
		}
	}
	most := 0
	for key := range known {
		if !balances[key] || w.pages[key] == 0 {
			t.Errorf("an account has balances: %t, and %d pages of transactions", balances[key], w.pages[key])
		}
		most = max(most, w.pages[key])
	}
	if most < s.Expect.Pages || pending != s.Expect.Pending {
		t.Errorf("%d pages, want %d; pending %t, want %t", most, s.Expect.Pages, pending, s.Expect.Pending)
	}
}

// oneKind: under a consent for balances no transactions are offered, and none can
// be read by asking all the same.
func oneKind(t *testing.T, s *session) {
	wide, _ := s.granted(t, everything)
	offered := s.lists(t, wide, everything).Questions
	scope := consent.Scope{Balances: true}
	access, info := s.granted(t, scope)
	if !info.Scope.Balances || info.Scope.Transactions {
		t.Errorf("granted %+v", info.Scope)
	}
	read := s.lists(t, access, scope)
	if len(read.Facts.Accounts) == 0 {
		t.Fatal("no accounts")
	}
	for _, q := range read.Questions {
		if !q.CoveredBy(scope) {
			t.Errorf("%s is offered", q.Kind)
		}
	}
	for _, q := range offered {
		if q.Needs == institution.NeedsTransactions {
			_, err := s.fetch(t, access, q)
			kind(t, "read transactions", err, institution.NotCovered)
			return
		}
	}
	t.Error("no transactions are offered under any consent")
}

func oneAccount(t *testing.T, s *session) {
	access, _ := s.granted(t, everything)
	var wanted string
	for _, a := range s.lists(t, access, everything).Facts.Accounts {
		if a.IBAN != "" {
			wanted = a.IBAN
		}
	}
	scope := consent.Scope{AccountIDs: []string{wanted}, Balances: true, Transactions: true}
	access, info := s.granted(t, scope)
	if len(info.Scope.AccountIDs) != 1 || info.Scope.AccountIDs[0] != wanted {
		t.Errorf("granted %d accounts", len(info.Scope.AccountIDs))
	}
	if got := s.lists(t, access, scope).Facts.Accounts; len(got) != 1 || got[0].IBAN != wanted {
		t.Errorf("%d accounts can be read", len(got))
	}
}
