package collect_test

import (
	"context"
	"slices"
	"testing"

	"samla/internal/collection"
	"samla/internal/deviation"
	"samla/internal/institution"
)

// A collection that could not read a part counts it, once, at its company.
func TestCollection_CountsDeviations(t *testing.T) {
	b := newEnv(t)
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Link == "save/balances" {
			return kind(institution.NotCovered)
		}
		return nil
	}
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.CompletedPartial)
	want := []deviation.Total{{Company: c.Company, Kind: deviation.Unanswered, N: 1}}
	if got := b.Deviations.Totals(); !slices.Equal(got, want) {
		t.Errorf("totals %v", got)
	}
}
