package e2e

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/fault"
)

// deletedCollection: the data of a finished collection is deleted when the client deletes
// the collection. Cancelling a finished collection changes nothing.
func deletedCollection(t *testing.T, w *env) {
	p := w.person(t, gun)
	consent := p.authorizeConsent(t, consentRequest{company: autostartBank})
	id := p.collect(t, autostartBank, consent, address, "COMPLETED")
	var s collectionStatus
	p.Do(t, "POST", "/collections/"+id+"/cancel", nil).WantStatus(t, 200, &s)
	if s.Status != "COMPLETED" {
		t.Errorf("status %s after cancelling a finished collection", s.Status)
	}
	products := p.products(t, id)
	if len(products) != 1 || products[0].Transactions == nil || len(*products[0].Transactions) != 0 {
		t.Errorf("%d products of an account without transactions", len(products))
	}
	for range 2 {
		p.Do(t, "DELETE", "/collections/"+id, nil).WantStatus(t, 204, nil)
		p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
	}
	if raws, err := w.Server.Store().RawAnswers(t.Context(), id); err != nil || len(raws) != 0 {
		t.Errorf("%d raw answers are still stored, %v", len(raws), err)
	}
	if s := p.pollCollection(t, id); s.Status != "COMPLETED" {
		t.Errorf("status %s after deletion", s.Status)
	}
}

// backgroundLimit: four background refreshes in 24 hours are allowed, and their requests
// to the bank have no PSU headers. Attended collections have no limit.
func backgroundLimit(t *testing.T, w *env) {
	p := w.person(t, tim)
	consent := p.authorizeConsent(t, consentRequest{company: demoBank})
	atBank := w.bankConsent(t, consent).ID
	afterSigning := len(w.interceptor.requestsFor(atBank))
	first := w.clock.Now()
	for range 4 {
		started := w.backend.startCollection(t, storedConsent(demoBank, consent, ""))
		if started.PollingTimeout != nil {
			t.Error("a background refresh has a polling timeout")
		}
		w.backend.awaitCollection(t, started.ID, "COMPLETED")
		compareWithBank(t, w, demoBank, tim, p.products(t, started.ID), unattendedDays)
	}
	unattended := w.interceptor.requestsFor(atBank)[afterSigning:]
	for _, a := range unattended {
		if a.isAccountRead() && a.attended() {
			t.Errorf("%s %s has PSU headers without a person: %v", a.method, a.path, a.header)
		}
	}
	got := w.backend.Do(t, "POST", "/collections", storedConsent(demoBank, consent, ""))
	limit := got.WantProblem(t, fault.BackgroundRefreshLimit)
	next, err := time.Parse(time.RFC3339, limit.NextAllowedAt)
	if err != nil || next.Before(first.Add(24*time.Hour).Truncate(time.Millisecond)) || next.After(w.clock.Now().Add(24*time.Hour)) {
		t.Errorf("nextAllowedAt %q, the first refresh was at %s", limit.NextAllowedAt, first)
	}
	if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 23*3600 || wait > 24*3600+1 {
		t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
	}

	before := len(w.interceptor.requestsFor(atBank))
	for range 2 {
		p.collect(t, demoBank, consent, address, "COMPLETED")
	}
	reads := 0
	for _, a := range w.interceptor.requestsFor(atBank)[before:] {
		if !a.isAccountRead() {
			continue
		}
		reads++
		if a.header.Get("Psu-Ip-Address") != address || a.header.Get("Psu-User-Agent") != "e2e/1.0" {
			t.Errorf("%s %s has no PSU headers", a.method, a.path)
		}
	}
	if reads == 0 || len(unattended) == 0 {
		t.Error("no account reads: nothing was tested")
	}
	p.Do(t, "POST", "/collections", storedConsent(demoBank, consent, "")).WantProblem(t, fault.BackgroundRefreshLimit)
}

// limitedScope: with a consent for one account, for balances only or for transactions
// only, nothing else is collected.
func limitedScope(t *testing.T, w *env) {
	p := w.person(t, ester)
	all := p.products(t, p.collect(t, demoBank, p.authorizeConsent(t, consentRequest{company: demoBank}), address, "COMPLETED"))
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
		id := p.authorizeConsent(t, consentRequest{company: demoBank, scope: test.scope})
		if s := p.pollConsent(t, id).Scope; len(s.AccountIDs) != 1 || s.AccountIDs[0] != savings.IBAN || s.Balances != test.balances || s.Transactions != test.transactions {
			t.Errorf("%s: granted %+v", name, s)
		}
		got := p.products(t, p.collect(t, demoBank, id, address, "COMPLETED"))
		if len(got) != 1 || got[0].IBAN != savings.IBAN {
			t.Errorf("%s: %d products", name, len(got))
			continue
		}
		wantScope(t, name, got, test.balances, test.transactions)
	}
	for name, test := range map[string]struct{ balances, transactions bool }{
		"balances alone": {true, false}, "transactions alone": {false, true},
	} {
		id := p.authorizeConsent(t, consentRequest{company: demoBank, scope: map[string]any{"balances": test.balances, "transactions": test.transactions}})
		got := p.products(t, p.collect(t, demoBank, id, address, "COMPLETED"))
		if len(got) != 2 {
			t.Errorf("%s: %d products", name, len(got))
		}
		wantScope(t, name, got, test.balances, test.transactions)
	}
}

// wantScope checks that products have balances and transactions only if the consent
// covers them.
func wantScope(t *testing.T, name string, products []account, balances, transactions bool) {
	t.Helper()
	for _, a := range products {
		if (a.BookedBalance != nil || a.AvailableBalance != nil) != balances || (a.Transactions != nil) != transactions {
			t.Errorf("%s: a product with balance %v, %t transactions", name, a.BookedBalance, a.Transactions != nil)
		}
	}
}

func filteredCollection(t *testing.T, w *env) {
	p := w.person(t, maja)
	consent := p.authorizeConsent(t, consentRequest{company: shortBank})
	all := p.products(t, p.collect(t, shortBank, consent, address, "COMPLETED"))
	for _, one := range all {
		for _, by := range []string{one.IBAN, one.AccountID, one.AccountNumber} {
			if by == "" {
				continue
			}
			id := p.startCollection(t, storedConsent(shortBank, consent, address, map[string]any{"type": "FILTER", "accountIds": []string{by}})).ID
			p.awaitCollection(t, id, "COMPLETED")
			if got := p.products(t, id); len(got) != 1 || got[0].AccountID != one.AccountID {
				t.Errorf("filtered by one account: %d products", len(got))
			}
		}
	}
	id := p.startCollection(t, storedConsent(shortBank, consent, address, map[string]any{"type": "FILTER", "accountIds": []string{"SE3550000000054910000003"}})).ID
	p.awaitCollection(t, id, "COMPLETED_EMPTY")
	if got := p.products(t, id); len(got) != 0 {
		t.Errorf("filtered by an account of another person: %d products", len(got))
	}
}
