package collect

import (
	"slices"
	"strings"
	"testing"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/listing"
	"samla/internal/money"
)

const (
	iban  = "SE4550000000058398257466"
	iban2 = "SE3550000000054910000003"
)

var (
	gone    = &institution.Error{Kind: institution.NotCovered}
	passing = &institution.Error{Kind: institution.Unreachable}
)

// entry returns the reading of a list with one entry, and with questions about it.
func entry(a fact.Account, balances ...fact.Balance) institution.Reading {
	r := institution.Reading{Facts: fact.Facts{Accounts: []fact.Account{a}, Balances: balances}}
	if len(balances) == 0 {
		r.Questions = append(r.Questions, institution.Question{Kind: "balances", Account: a.Key, Needs: institution.NeedsBalances})
	}
	r.Questions = append(r.Questions, institution.Question{Kind: "transactions", Account: a.Key, Needs: institution.NeedsTransactions})
	return r
}

func rowsOf(key string, n int) institution.Reading {
	return institution.Reading{Facts: fact.Facts{Histories: []fact.History{{Account: key, Transactions: make([]fact.Transaction, n)}}}}
}

// asked takes all questions and returns them as "kind of key".
func asked(f *frontier) string {
	taken, _ := f.take(100)
	var all []string
	for _, q := range taken {
		all = append(all, q.Kind+" "+q.Account)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func lists(s listing.Search) *frontier {
	f := newFrontier(consent.Scope{Balances: true, Transactions: true}, s, []institution.Question{{Kind: "accounts"}, {Kind: "cards"}})
	f.take(2)
	return f
}

func question(kind, key string) institution.Question {
	q := institution.Question{Kind: kind, Account: key, Needs: institution.NeedsBalances}
	if kind == "transactions" {
		q.Needs = institution.NeedsTransactions
	}
	return q
}

// An account on two pages of a list is asked for balances once, and for the second
// time if that fails. One place can have transactions that the other has not.
func TestFrontier_ReadsARepeatedAccount(t *testing.T) {
	for name, test := range map[string]struct {
		fails bool
		then  string
	}{"the first place answers": {false, ""}, "the first place fails": {true, "balances b"}} {
		f := lists(listing.Search{})
		first := entry(fact.Account{Key: "a", IBAN: iban, Currency: "SEK"})
		first.Questions = append(first.Questions, institution.Question{Kind: "accounts", Link: "2"})
		f.addAnswer(institution.Question{Kind: "accounts"}, 1, first)
		if got := asked(f); got != "accounts , balances a, transactions a" {
			t.Errorf("%s: asks %s", name, got)
		}
		f.addAnswer(institution.Question{Kind: "accounts", Link: "2"}, 1, entry(fact.Account{Key: "b", IBAN: iban, Currency: "SEK"}))
		if got := asked(f); got != "transactions b" {
			t.Errorf("%s: asks %s too", name, got)
		}
		balances := func(key string) institution.Reading {
			return institution.Reading{Facts: fact.Facts{Balances: []fact.Balance{{Account: key, Amount: money.Must("1", "SEK")}}}}
		}
		if test.fails {
			f.addFailure(question("balances", "a"), passing)
		} else {
			f.addAnswer(question("balances", "a"), 1, balances("a"))
		}
		if got := asked(f); got != test.then {
			t.Errorf("%s: then asks %s", name, got)
		}
		if test.fails {
			if lost := f.lost(f.found().Accounts); lost != 1 {
				t.Errorf("%s: %d lost before the second place has answered", name, lost)
			}
			f.addAnswer(question("balances", "b"), 1, balances("b"))
		}
		if lost := f.lost(f.found().Accounts); lost != 0 {
			t.Errorf("%s: %d lost", name, lost)
		}
	}
}

// A card in both lists is read in both places. What one of them never has is not lost
// if the other has answered.
func TestFrontier_ReadsACardInBothLists(t *testing.T) {
	for name, test := range map[string]struct {
		other error // of the list of accounts
		rows  int   // of the list of cards
		lost  int
	}{
		"both":                               {nil, 1, 0},
		"one never has rows":                 {gone, 1, 0},
		"one never has rows, the other none": {gone, 0, 0},
		"one fails for now":                  {passing, 1, 0},
		"one fails for now, the other none":  {passing, 0, 1},
	} {
		f := lists(listing.Search{})
		f.addAnswer(institution.Question{Kind: "cards"}, 1, entry(fact.Account{Key: "card/k", ID: "k", Card: true}))
		f.addAnswer(institution.Question{Kind: "accounts"}, 1, entry(fact.Account{Key: "account/k", ID: "k", Type: "CARD"}))
		if got := asked(f); got != "balances account/k, balances card/k, transactions account/k, transactions card/k" {
			t.Errorf("%s: asks %s", name, got)
		}
		for _, key := range []string{"card/k", "account/k"} {
			f.addAnswer(question("balances", key), 1, institution.Reading{})
		}
		f.addAnswer(question("transactions", "card/k"), 1, rowsOf("card/k", test.rows))
		if test.other != nil {
			f.addFailure(question("transactions", "account/k"), test.other)
		} else {
			f.addAnswer(question("transactions", "account/k"), 1, rowsOf("account/k", 1))
		}
		if found := f.found(); len(found.Accounts) != 1 || f.lost(found.Accounts) != test.lost {
			t.Errorf("%s: %d accounts, %d lost", name, len(found.Accounts), f.lost(found.Accounts))
		}
	}
}

// A filter names an account by a number that only one of its entries has, whichever
// list comes first.
func TestFrontier_AsksAboutEveryEntryOfAnAccount(t *testing.T) {
	accounts, cards := entry(fact.Account{Key: "account/k", ID: "k", Type: "CARD", IBAN: iban}), entry(fact.Account{Key: "card/k", ID: "k", Card: true, MaskedPAN: "541200******0007"})
	for _, id := range []string{iban, "541200******0007", iban2} {
		for _, cardsFirst := range []bool{true, false} {
			f := lists(listing.Search{Filter: []string{id}})
			if cardsFirst {
				f.addAnswer(institution.Question{Kind: "cards"}, 1, cards)
			}
			f.addAnswer(institution.Question{Kind: "accounts"}, 1, accounts)
			if !cardsFirst {
				f.addAnswer(institution.Question{Kind: "cards"}, 1, cards)
			}
			want := "balances account/k, balances card/k, transactions account/k, transactions card/k"
			if id == iban2 {
				want = ""
			}
			if got := asked(f); got != want {
				t.Errorf("%s, cards first %t: asks %s", id, cardsFirst, got)
			}
		}
	}
}

// The currencies under one IBAN are not repetitions.
func TestFrontier_ReadsEachCurrencyOfAnAccount(t *testing.T) {
	f := lists(listing.Search{})
	r := entry(fact.Account{Key: "x", IBAN: iban, Currency: "XXX"})
	for key, currency := range map[string]string{"e": "EUR", "u": "USD"} {
		more := entry(fact.Account{Key: key, IBAN: iban, Currency: currency})
		r.Facts.Add(more.Facts)
		r.Questions = append(r.Questions, more.Questions...)
	}
	f.addAnswer(institution.Question{Kind: "accounts"}, 1, r)
	if got := asked(f); got != "balances e, balances u, balances x, transactions e, transactions u, transactions x" {
		t.Errorf("asks %s", got)
	}
}

func TestFrontier_AsksNothingAboutLoans(t *testing.T) {
	f := lists(listing.Search{})
	f.addAnswer(institution.Question{Kind: "accounts"}, 1, entry(fact.Account{Key: "l", IBAN: iban, Type: "LOAN"}))
	if got, found := asked(f), f.found(); got != "" || found.Deviations[deviation.OtherProduct] != 1 {
		t.Errorf("asks %s, %v", got, found.Deviations)
	}
}

// The balance is all that is known of a loan. Its rows are not asked for, whatever answer
// names them.
func TestFrontier_AsksForTheBalanceOfALoanOnly(t *testing.T) {
	f := lists(listing.Search{})
	f.addAnswer(institution.Question{Kind: "accounts"}, 1, entry(fact.Account{Key: "l", IBAN: iban, Type: "LOAN", Product: "Bolån"}))
	if got, found := asked(f), f.found(); got != "balances l" || len(found.Accounts) != 1 || len(found.Deviations) != 0 {
		t.Errorf("asks %s, %v", got, found.Deviations)
	}
	more := institution.Reading{Questions: []institution.Question{question("transactions", "l")}}
	f.addAnswer(question("balances", "l"), 1, more)
	if got := asked(f); got != "" {
		t.Errorf("asks %s", got)
	}
	// An account after all: the list of cards has it too.
	card := entry(fact.Account{Key: "c", IBAN: iban, Card: true})
	f.addAnswer(institution.Question{Kind: "cards"}, 1, card)
	if got := asked(f); got != "balances c, transactions c, transactions l" {
		t.Errorf("asks %s", got)
	}
}

func TestFrontier_BoundsTheEntriesOfLists(t *testing.T) {
	f := lists(listing.Search{})
	f.bounds.entries = 3
	r := institution.Reading{Facts: fact.Facts{Accounts: make([]fact.Account, 2)}}
	for i, q := range []institution.Question{{Kind: "accounts"}, {Kind: "cards"}} {
		r.Facts.Accounts = []fact.Account{{Key: string(rune('a' + 2*i))}, {Key: string(rune('b' + 2*i))}}
		f.addAnswer(q, 1, r)
	}
	if found := f.found(); len(found.Accounts) != 3 || found.Deviations[deviation.Bounded] != 1 {
		t.Errorf("%d accounts, %v", len(found.Accounts), found.Deviations)
	}
}
