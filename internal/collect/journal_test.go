package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
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
	b.wantEnded(b.handle(c.ID), collection.Completed)
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
