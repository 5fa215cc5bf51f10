package collect_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/store"
)

func TestCrawl_ReadsEverything(t *testing.T) {
	for _, parallel := range []int{1, 4} {
		b := newEnv(t)
		b.profile(func(p *institution.Profile) { p.Parallel = parallel })
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		b.wantEnded(c, collection.Completed)
		b.wantComplete(c.ID)
		if all, _ := b.bank.count(""); all != whole || b.rawCount(c.ID) != whole {
			t.Errorf("asked %d times, %d answers are kept", all, b.rawCount(c.ID))
		}
		if until := c.DataUntil.Sub(b.Clock.Now()); until != 30*24*time.Hour {
			t.Errorf("kept for %s", until)
		}
		if err := b.Handle(t.Context(), c.ID); err != nil || len(b.bank.asked) != whole {
			t.Errorf("looked at again, a finished one asks the bank: %v", err)
		}
	}
}

// The bank gets the PSU context and the first booking date (RTS art. 10a).
func TestCrawl_SendsPSUContextAndHistory(t *testing.T) {
	for name, test := range map[string]struct {
		ip, later string
		days      int
	}{
		"there, just signed":      {"192.0.2.7", "0s", 730},
		"there, signed last week": {"192.0.2.7", "168h", 89},
		"not there":               {"", "0s", 89},
	} {
		b := newEnv(t)
		under := b.authorizedConsent()
		later, err := time.ParseDuration(test.later)
		if err != nil {
			t.Fatal(err)
		}
		b.Clock.Advance(later)
		c := b.handle(b.start(b.request(under, test.ip)).ID)
		b.wantEnded(c, collection.Completed)
		want := institution.Access{ConsentID: "bank-1", PSU: psu.Context{IPAddress: test.ip, Locale: "sv-SE"}}
		if test.ip != "" {
			want.PSU.UserAgent = "test/1"
		}
		for _, a := range b.bank.with {
			if a != want {
				t.Errorf("%s: the bank was told %+v", name, a)
			}
		}
		from := b.Clock.Now().AddDate(0, 0, -test.days).Format(time.DateOnly)
		for _, q := range b.bank.asked {
			if q.Kind == "transactions" && q.From != from {
				t.Errorf("%s: %s was asked for from %s instead of %s", name, q.Link, q.From, from)
			}
		}
	}
}

func TestCrawl_AsksOnlyWhatTheScopeCovers(t *testing.T) {
	for name, test := range map[string]struct {
		scope  consent.Scope
		filter []string
		asked  int
		bare   bool
	}{
		"balances":         {consent.Scope{Balances: true}, nil, 2 + 3, false},
		"transactions":     {consent.Scope{Transactions: true}, nil, 2 + 5, true},
		"one account":      {consent.Scope{AccountIDs: []string{"save"}, Balances: true, Transactions: true}, nil, 2 + 2, false},
		"filtered":         {consent.Scope{Balances: true, Transactions: true}, []string{"SAVE"}, 2 + 2, false},
		"filtered to none": {consent.Scope{AccountIDs: []string{"main"}, Balances: true, Transactions: true}, []string{"save"}, 2, false},
	} {
		b := newEnv(t)
		under := b.authorizedConsent()
		b.Write(func(tx store.Tx) (err error) {
			under.Granted = &test.scope
			under, err = tx.PutConsent(t.Context(), under)
			return err
		})
		r := b.request(under, "192.0.2.7")
		r.Filter = test.filter
		c := b.handle(b.start(r).ID)
		want := collection.Completed
		if test.asked == 2 {
			want = collection.CompletedEmpty
		}
		b.wantEnded(c, want)
		if all, _ := b.bank.count(""); all != test.asked || (b.bank.asked[0].Detail == "") != test.bare {
			t.Errorf("%s: asked %d times, %+v", name, all, b.bank.asked)
		}
		for id, p := range b.products(c.ID) {
			if (p.BookedBalance != nil) != test.scope.Balances || (p.Transactions != nil) != test.scope.Transactions {
				t.Errorf("%s: %s is told as %+v", name, id, p)
			}
		}
	}
}

// Pages that link to each other in a circle are read once.
func TestCrawl_ReadsCyclicPagesOnce(t *testing.T) {
	b := newEnv(t)
	b.bank.next["main/3"] = "main/2"
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	b.wantComplete(c.ID)
}

// A bank that links to new pages for ever is read up to a bound. The other accounts are
// read in full.
func TestCrawl_LimitsEndlessPages(t *testing.T) {
	b := newEnv(t)
	b.bank.endless = true
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.CompletedPartial)
	all := b.products(c.ID)
	if n := len(*all["main"].Transactions); n != 1000 || all["main"].BookedBalance == nil || len(*all["save"].Transactions) != 1 || len(*all["card"].Transactions) != 1 {
		t.Errorf("%d transactions of the account without an end, %d products", n, len(all))
	}
	if n := strings.Count(b.logs.String(), "reached a bound"); n != 1 || !strings.Contains(b.logs.String(), "kind=transactions") {
		t.Errorf("logged %d times: %s", n, b.logs)
	}
}
