package conformance

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// maxPages is more than any person of a test has.
const maxPages = 2000

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
	accounts := s.accounts(t, access)
	cards, pages, pending := 0, 0, false
	for _, account := range accounts {
		if account.Card {
			cards++
		}
		if account.ResourceID == "" || account.Currency == "" {
			t.Errorf("an account without id or currency: %+v", account)
		}
		balances(t, s, access, account)
		n, p := history(t, s, access, account)
		pages, pending = max(pages, n), pending || p
	}
	if len(accounts) != s.Expect.Accounts || cards != s.Expect.Cards {
		t.Errorf("%d accounts, %d of them cards, want %d and %d", len(accounts), cards, s.Expect.Accounts, s.Expect.Cards)
	}
	if pages < s.Expect.Pages || pending != s.Expect.Pending {
		t.Errorf("%d pages, want %d; pending %t, want %t", pages, s.Expect.Pages, pending, s.Expect.Pending)
	}
}

// balances are told with the account, or on their own.
func balances(t *testing.T, s *session, access institution.Access, a institution.Account) {
	t.Helper()
	if a.BalancesLink != "" {
		answer, err := s.fetch(t, access, institution.Query{Kind: institution.Balances, Account: a.ResourceID, Card: a.Card, Link: a.BalancesLink})
		if err != nil {
			t.Fatalf("read balances: %v", err)
		}
		own, err := s.Bank.ReadBalances(answer)
		if err != nil || len(own) == 0 {
			t.Errorf("understand balances: %d, %v", len(own), err)
		}
		return
	}
	if len(a.Balances) == 0 {
		t.Errorf("no balance of an account of kind %s", a.Type)
	}
}

// history reads an account's transactions to the last page; each row once.
func history(t *testing.T, s *session, access institution.Access, a institution.Account) (pages int, pending bool) {
	t.Helper()
	from := s.Now().AddDate(0, 0, -365)
	q := institution.Query{Kind: institution.Transactions, Account: a.ResourceID, Card: a.Card, Link: a.TransactionsLink, From: from}
	seen := map[string]bool{}
	for pages < maxPages {
		answer, err := s.fetch(t, access, q)
		if err != nil {
			t.Fatalf("read transactions: %v", err)
		}
		page, err := s.Bank.ReadTransactions(answer)
		if err != nil || page.Skipped != 0 {
			t.Fatalf("understand transactions: %d skipped, %v", page.Skipped, err)
		}
		pages++
		for _, row := range page.Transactions {
			row := row
			pending = pending || !row.Booked
			if row.Booked && (row.BookingDate.IsZero() || row.BookingDate.Before(from.AddDate(0, 0, -1)) || row.BookingDate.After(s.Now())) {
				t.Errorf("a row is booked on %s", row.BookingDate)
			}
			if row.ID != "" && seen[row.ID] {
				t.Error("a row came twice")
			}
			seen[row.ID] = true
		}
		if page.Next == "" {
			return pages, pending
		}
		q.Link = page.Next
	}
	t.Fatal("the pages do not end")
	return 0, false
}

func oneKind(t *testing.T, s *session) {
	access, info := s.granted(t, consent.Scope{Balances: true})
	if !info.Scope.Balances || info.Scope.Transactions {
		t.Errorf("granted %+v", info.Scope)
	}
	accounts := s.accounts(t, access)
	if len(accounts) == 0 {
		t.Fatal("no accounts")
	}
	for _, a := range accounts {
		if a.TransactionsLink != "" {
			t.Error("transactions are offered")
		}
		balances(t, s, access, a)
	}
	q := institution.Query{Kind: institution.Transactions, Account: accounts[0].ResourceID, Card: accounts[0].Card, From: s.Now().AddDate(0, 0, -30)}
	_, err := s.fetch(t, access, q)
	kind(t, "read transactions", err, institution.NotCovered)
}

func oneAccount(t *testing.T, s *session) {
	access, _ := s.granted(t, everything)
	var wanted string
	for _, a := range s.accounts(t, access) {
		if a.IBAN != "" {
			wanted = a.IBAN
		}
	}
	access, info := s.granted(t, consent.Scope{AccountIDs: []string{wanted}, Balances: true, Transactions: true})
	if len(info.Scope.AccountIDs) != 1 || info.Scope.AccountIDs[0] != wanted {
		t.Errorf("granted %d accounts", len(info.Scope.AccountIDs))
	}
	if got := s.accounts(t, access); len(got) != 1 || got[0].IBAN != wanted {
		t.Errorf("%d accounts can be read", len(got))
	}
}
