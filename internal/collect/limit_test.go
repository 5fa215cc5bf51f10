package collect_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/fact"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/quota"
)

var exceeded = kind(institution.AccessExceeded)

// A 429 on one kind of data, or on one of the lists, discards nothing that was read.
func TestLimit_DiscardsNothing(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for name, tc := range map[string]struct {
			refused  func(q institution.Question) bool
			in       collection.Status
			products int
		}{
			"balances":           {func(q institution.Question) bool { return q.Kind == "balances" }, collection.CompletedPartial, 3},
			"transactions":       {func(q institution.Question) bool { return q.Kind == "transactions" }, collection.CompletedPartial, 3},
			"a page":             {func(q institution.Question) bool { return q.Link == "main/2" }, collection.CompletedPartial, 3},
			"cards":              {func(q institution.Question) bool { return q.Kind == "cards" }, collection.CompletedPartial, 2},
			"the essential list": {func(q institution.Question) bool { return q.Kind == "accounts" }, collection.CompletedPartial, 1},
			"both lists":         {func(q institution.Question) bool { return q.Account == "" }, collection.ThirdPartyError, 0},
		} {
			b := newEnv(t)
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				if tc.refused(q) {
					return exceeded
				}
				return nil
			}
			c := b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID)
			if c.Status != tc.in {
				t.Errorf("%s, %q: %s", name, ip, c.Status)
				continue
			}
			if tc.products > 0 && len(b.products(c.ID)) != tc.products {
				t.Errorf("%s, %q: %d products", name, ip, len(b.products(c.ID)))
			}
		}
	}
}

// Transactions are asked for before balances: of all accounts, and with all pages.
func TestCrawl_AsksForTransactionsFirst(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "")).ID)
	b.wantEnded(c, collection.Completed)
	var kinds []string
	for _, q := range b.bank.asked {
		kinds = append(kinds, q.Kind)
	}
	if want := []string{"accounts", "cards", "transactions", "transactions", "transactions", "transactions", "transactions", "balances", "balances", "balances"}; !slices.Equal(kinds, want) {
		t.Errorf("asked %v", kinds)
	}
}

// A closed account costs no read.
func TestCrawl_AsksNothingAboutClosedAccounts(t *testing.T) {
	b := newEnv(t)
	b.bank.accounts[1].Status = fact.StatusClosed
	c := b.handle(b.start(b.request(b.authorizedConsent(), "")).ID)
	b.wantEnded(c, collection.Completed)
	for _, q := range b.bank.asked {
		if q.Account == "key-save" {
			t.Errorf("asked %+v", q)
		}
	}
	if len(b.bank.asked) != whole-2 {
		t.Errorf("asked %d questions", len(b.bank.asked))
	}
}

// A bank that counts each endpoint of each account is never asked more often than it
// allows: what is beyond that is missing, and the next collection waits.
func TestLimit_CountsEndpointsAsTheBankDoes(t *testing.T) {
	b := newEnv(t)
	b.profile(func(p *institution.Profile) { p.CountsPer = quota.PerEndpoint })
	under := b.authorizedConsent()
	times := map[string][]time.Time{}
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		key := q.Kind + "/" + q.Account
		times[key] = append(times[key], b.Clock.Now())
		return nil
	}
	for range 40 { // three pages of one account a collection, every third hour
		c, err := b.Start(t.Context(), b.request(under, ""), nil)
		if err == nil {
			if _, err := b.Start(t.Context(), b.request(under, ""), nil); err == nil {
				t.Error("a second collection begins beside the first")
			}
			if c = b.handle(c.ID); c.Status != collection.Completed && c.Status != collection.CompletedPartial {
				t.Errorf("ended as %s", c.Status)
			}
		} else {
			f := isFault(t, "used up", err, fault.BackgroundRefreshLimit)
			if f.RetryAfter <= 0 || f.RetryAfter > 24*time.Hour {
				t.Errorf("the next in %s", f.RetryAfter)
			}
		}
		b.Clock.Advance(3 * time.Hour)
	}
	for key, at := range times {
		for i := 4; i < len(at); i++ {
			if at[i].Sub(at[i-4]) < 24*time.Hour {
				t.Errorf("%s is asked five times in %s", key, at[i].Sub(at[i-4]))
			}
		}
		if len(at) < 5 {
			t.Errorf("%s is asked %d times in five days", key, len(at))
		}
	}
	if n := b.start(b.request(under, "192.0.2.7")); b.handle(n.ID).Status != collection.Completed {
		t.Error("the person is there, and not everything is read")
	}
}
