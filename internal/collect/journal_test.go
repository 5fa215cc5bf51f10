package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

// A short run stores its answers together with its result.
func TestJournal_StoresShortRunOnce(t *testing.T) {
	b := newEnv(t)
	under := b.authorizedConsent()
	c := b.start(b.request(under, "192.0.2.7"))
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		b.Clock.Advance(40 * time.Millisecond)
		if n := b.rawCount(c.ID); n != 0 {
			t.Errorf("%d answers are written down on the way", n)
		}
		return nil
	}
	// The clock moves with the questions only: the run is shorter than saveInterval.
	if err := b.Handle(b.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.wantEnded(b.row(c.ID), collection.Completed)
}

// Large answers are stored before saveInterval is over.
func TestJournal_StoresLargeAnswersEarly(t *testing.T) {
	b := newEnv(t)
	b.bank.padding = 3 << 20
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	n, most := 0, 0
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		most = max(most, n-b.rawCount(c.ID))
		n++
		return nil
	}
	b.wantEnded(b.handle(c.ID), collection.Completed)
	if most > 1 {
		t.Errorf("%d answers of 3 MiB were in memory only", most)
	}
}

// An answer in the form of an earlier version has no question. It is asked for again.
func TestJournal_IgnoresAnswersOfEarlierForm(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	c = b.interrupt(c.ID, 1, kind(institution.Unreachable))
	place := seal.Place{Table: "raws", Column: "sealed", Row: c.ID + "/0"}
	sealed, err := b.Vault.Seal(t.Context(), c.Subject(), place, []byte(`{"query":{"kind":"accounts"},"body":"c2FpZCBvZiA=","at":"2026-04-01T08:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error {
		return tx.AddRawAnswers(t.Context(), []collection.RawAnswer{{CollectionID: c.ID, Kind: "accounts", FetchedAt: morning, Sealed: sealed}})
	})
	b.wantEnded(b.handle(c.ID), collection.Completed)
	b.wantComplete(c.ID)
	if n := b.rawCount(c.ID); n != whole+1 {
		t.Errorf("%d answers are stored", n)
	}
}
