package collect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
)

// A short reading writes its answers together with its result.
func TestJournal_WritesAShortRunOnce(t *testing.T) {
	b := newBench(t)
	under := b.granted()
	c := b.start(b.request(under, "192.0.2.7"))
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		b.Clock.Advance(40 * time.Millisecond)
		if n := b.raws(c.ID); n != 0 {
			t.Errorf("%d answers are written down on the way", n)
		}
		return nil
	}
	b.ended(b.look(c.ID), collection.Completed)
}

// Large answers are not collected in memory until time has passed.
func TestJournal_SavesLargeAnswersEarly(t *testing.T) {
	b := newBench(t)
	b.bank.padding = 3 << 20
	c := b.start(b.request(b.granted(), "192.0.2.7"))
	n, most := 0, 0
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		most = max(most, n-b.raws(c.ID))
		n++
		return nil
	}
	b.ended(b.look(c.ID), collection.Completed)
	if most > 1 {
		t.Errorf("%d answers of 3 MiB were in memory only", most)
	}
}
