package e2e

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/fault"
)

// erased: a finished collection's data goes when the client says so; to cancel
// it changes nothing.
func erased(t *testing.T, w *world) {
	p := w.person(t, gun)
	consent := p.consents(t, ask{company: autostart})
	id := p.collects(t, autostart, consent, home, "COMPLETED")
	var s collectionStatus
	p.Do(t, "POST", "/collections/"+id+"/cancel", nil).Is(t, 200, &s)
	if s.Status != "COMPLETED" {
		t.Errorf("cancelled after its end, and is %s", s.Status)
	}
	products := p.data(t, id)
	if len(products) != 1 || products[0].Transactions == nil || len(*products[0].Transactions) != 0 {
		t.Errorf("an account on which nothing happened is %d products", len(products))
	}
	for range 2 {
		p.Do(t, "DELETE", "/collections/"+id, nil).Is(t, 204, nil)
		p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).Fails(t, fault.DataExpired)
	}
	if raws, err := w.Server.Store().RawAnswers(t.Context(), id); err != nil || len(raws) != 0 {
		t.Errorf("%d raw answers are left, %v", len(raws), err)
	}
	if s := p.polls(t, id); s.Status != "COMPLETED" {
		t.Errorf("erased, and is %s", s.Status)
	}
}

// backgroundLimit: four refreshes without the person in 24 hours, which say
// nothing of a person to the bank; with the person there is no limit.
func backgroundLimit(t *testing.T, w *world) {
	p := w.person(t, tim)
	consent := p.consents(t, ask{company: demo})
	atBank := w.bankConsent(t, consent).ID
	signing := len(w.wire.under(atBank))
	first := w.clock.Now()
	for range 4 {
		started := w.backend.starts(t, stored(demo, consent, ""))
		if started.PollingTimeout != nil {
			t.Error("a background refresh has a polling timeout")
		}
		w.backend.ends(t, started.ID, "COMPLETED")
		asTheBankHasThem(t, w, demo, tim, p.data(t, started.ID), unattendedDays)
	}
	unattended := w.wire.under(atBank)[signing:]
	for _, a := range unattended {
		if a.reads() && a.attended() {
			t.Errorf("%s %s tells of a person who is not there: %v", a.method, a.path, a.header)
		}
	}
	got := w.backend.Do(t, "POST", "/collections", stored(demo, consent, ""))
	limit := got.Fails(t, fault.BackgroundRefreshLimit)
	next, err := time.Parse(time.RFC3339, limit.NextAllowedAt)
	if err != nil || next.Before(first.Add(24*time.Hour).Truncate(time.Millisecond)) || next.After(w.clock.Now().Add(24*time.Hour)) {
		t.Errorf("the next is allowed at %q, the first was at %s", limit.NextAllowedAt, first)
	}
	if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 23*3600 || wait > 24*3600+1 {
		t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
	}

	before := len(w.wire.under(atBank))
	for range 2 {
		p.collects(t, demo, consent, home, "COMPLETED")
	}
	reads := 0
	for _, a := range w.wire.under(atBank)[before:] {
		if !a.reads() {
			continue
		}
		reads++
		if a.header.Get("Psu-Ip-Address") != home || a.header.Get("Psu-User-Agent") != "e2e/1.0" {
			t.Errorf("%s %s does not tell of the person who is there", a.method, a.path)
		}
	}
	if reads == 0 || len(unattended) == 0 {
		t.Error("nothing was read: this shows nothing")
	}
	p.Do(t, "POST", "/collections", stored(demo, consent, "")).Fails(t, fault.BackgroundRefreshLimit)
}

// limitedScope: a consent for one account, for balances only and for
// transactions only reads no more than that.
func limitedScope(t *testing.T, w *world) {
	p := w.person(t, ester)
	all := p.data(t, p.collects(t, demo, p.consents(t, ask{company: demo}), home, "COMPLETED"))
	if len(all) != 2 {
		t.Fatalf("%d products", len(all))
	}
	savings := all[0]
	if savings.Type != "PSD2_SAVINGS_ACCOUNT" {
		savings = all[1]
	}
	for name, test := range map[string]struct {
		scope                  map[string]any
		balances, transactions bool
	}{
		"one account":            {map[string]any{"accountIds": []string{savings.IBAN}}, true, true},
		"its balances alone":     {map[string]any{"accountIds": []string{savings.IBAN}, "transactions": false}, true, false},
		"its transactions alone": {map[string]any{"accountIds": []string{savings.IBAN}, "balances": false}, false, true},
	} {
		id := p.consents(t, ask{company: demo, scope: test.scope})
		if s := p.status(t, id).Scope; len(s.AccountIDs) != 1 || s.AccountIDs[0] != savings.IBAN || s.Balances != test.balances || s.Transactions != test.transactions {
			t.Errorf("%s: granted %+v", name, s)
		}
		got := p.data(t, p.collects(t, demo, id, home, "COMPLETED"))
		if len(got) != 1 || got[0].IBAN != savings.IBAN {
			t.Errorf("%s: %d products", name, len(got))
			continue
		}
		covers(t, name, got, test.balances, test.transactions)
	}
	for name, test := range map[string]struct{ balances, transactions bool }{
		"balances alone": {true, false}, "transactions alone": {false, true},
	} {
		id := p.consents(t, ask{company: demo, scope: map[string]any{"balances": test.balances, "transactions": test.transactions}})
		got := p.data(t, p.collects(t, demo, id, home, "COMPLETED"))
		if len(got) != 2 {
			t.Errorf("%s: %d products", name, len(got))
		}
		covers(t, name, got, test.balances, test.transactions)
	}
}

// covers holds products to what the consent is for.
func covers(t *testing.T, name string, products []account, balances, transactions bool) {
	t.Helper()
	for _, a := range products {
		if (a.BookedBalance != nil || a.AvailableBalance != nil) != balances || (a.Transactions != nil) != transactions {
			t.Errorf("%s: a product with balance %v, %t transactions", name, a.BookedBalance, a.Transactions != nil)
		}
	}
}

func filtered(t *testing.T, w *world) {
	p := w.person(t, maja)
	consent := p.consents(t, ask{company: short})
	all := p.data(t, p.collects(t, short, consent, home, "COMPLETED"))
	for _, one := range all {
		for _, by := range []string{one.IBAN, one.AccountID, one.AccountNumber} {
			if by == "" {
				continue
			}
			id := p.starts(t, stored(short, consent, home, map[string]any{"type": "FILTER", "accountIds": []string{by}})).ID
			p.ends(t, id, "COMPLETED")
			if got := p.data(t, id); len(got) != 1 || got[0].AccountID != one.AccountID {
				t.Errorf("filtered by one account: %d products", len(got))
			}
		}
	}
	id := p.starts(t, stored(short, consent, home, map[string]any{"type": "FILTER", "accountIds": []string{"SE3550000000054910000003"}})).ID
	p.ends(t, id, "COMPLETED_EMPTY")
	if got := p.data(t, id); len(got) != 0 {
		t.Errorf("filtered by somebody else's account: %d products", len(got))
	}
}
