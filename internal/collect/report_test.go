package collect_test

import (
	"context"
	"encoding/json"
	"testing"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/outbox"
)

// A bank that refuses to be asked for pending transactions is asked for the booked ones.
// The report says so: that pending ones are absent means nothing then.
func TestReport_SaysThatPendingOnesWereNotAskedFor(t *testing.T) {
	b := newEnv(t)
	b.bank.smaller = map[string]string{"main/transactions": "main/booked"}
	b.bank.next["main/booked"] = "main/2"
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Link == "main/transactions" {
			return &institution.Error{Kind: institution.Refused, HTTPStatus: 400}
		}
		return nil
	}
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	told := messages(b.Env, outbox.ApplyCollection)
	if len(told) != 1 {
		t.Fatalf("%d messages", len(told))
	}
	plain, err := b.Vault.Open(b.Context(), c.Subject(), collect.ReportPlace(c.ID), told[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	var report collection.Report
	if err := json.Unmarshal(plain, &report); err != nil || len(report.Products) != 3 {
		t.Fatalf("report %s, %v", plain, err)
	}
	reduced := 0
	for _, p := range report.Products {
		if p.BookedOnly {
			reduced++
		}
		if !p.Transactions {
			t.Errorf("not read wholly: %+v", p)
		}
	}
	if reduced != 1 {
		t.Errorf("%d of the accounts were read without pending transactions: %s", reduced, plain)
	}
}
