package collect_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/institution"
)

// TestCrawl_Resumes interrupts a run at each question in turn. The next asks the
// institution only for what it has not answered.
func TestCrawl_Resumes(t *testing.T) {
	for at := 1; at <= whole; at++ {
		b := newBench(t)
		c := b.start(b.request(b.granted(), "192.0.2.7"))
		c = b.interrupted(c.ID, at, kind(institution.Unreachable))
		if b.raws(c.ID) != at-1 {
			t.Fatalf("interrupted at %d: %d answers are kept", at, b.raws(c.ID))
		}
		b.Service = b.service()
		b.Clock.Advance(time.Minute)
		c = b.look(c.ID)
		b.ended(c, collection.Completed)
		b.complete(c.ID)
		if all, _ := b.bank.count(""); all != whole+1 || b.raws(c.ID) != whole {
			t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.raws(c.ID))
		}
	}
}

// Without the person, the answer that is on its way when the time of a run is over
// is waited for, since the institution has counted the question. Nothing is asked
// twice.
func TestCrawl_ResumesWithoutThePerson(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		for at := 1; at <= whole; at++ {
			b := newBench(t)
			b.profile(func(p *institution.Profile) { p.Parallel = parallel })
			c := b.start(b.request(b.granted(), ""))
			c = b.interrupted(c.ID, at, nil)
			if n := b.raws(c.ID); n < at || n >= at+parallel {
				t.Fatalf("interrupted at %d: %d answers are kept", at, n)
			}
			b.Service = b.service()
			b.Clock.Advance(25 * time.Hour) // the day after, the same is asked
			c = b.look(c.ID)
			b.ended(c, collection.Completed)
			b.complete(c.ID)
			if all, _ := b.bank.count(""); all != whole || b.raws(c.ID) != whole {
				t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.raws(c.ID))
			}
		}
	}
}

// interrupted runs a collection whose time is over while the question with this
// number is asked. The run hands the collection back, due at once, unless that
// was the last question.
func (b *bench) interrupted(id string, at int, outcome error) collection.Collection {
	b.Helper()
	ctx, over := context.WithCancel(b.Context())
	var n atomic.Int64
	b.bank.fetches = func(context.Context, institution.Question, int) error {
		if n.Add(1) == int64(at) {
			over()
			return outcome
		}
		return nil
	}
	if err := b.Run(ctx, b.Handle, id); err != nil {
		b.Fatal(err)
	}
	c := b.row(id)
	if outcome != nil && (c.Status != collection.Collecting || c.WakeAt.After(b.Clock.Now())) {
		b.Fatalf("interrupted at %d: %s, due %s", at, c.Status, c.WakeAt)
	}
	return c
}

// dies lets a process die while a question is asked whose answer never comes, and
// returns how many answers were stored by then.
func (b *bench) dies(id string, link, kind string) (kept int) {
	b.Helper()
	dead, reached := make(chan struct{}), make(chan struct{})
	b.Cleanup(func() { close(dead) })
	b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
		b.Clock.Advance(200 * time.Millisecond)
		if q.Link == link && q.Kind == kind && n == 1 {
			close(reached)
			<-dead
		}
		return nil
	}
	go func(dying *collect.Service) { _ = dying.Handle(context.WithoutCancel(b.Context()), id) }(b.Service)
	<-reached
	kept = b.raws(id)
	b.Service = b.service()
	return kept
}

// A process dies after some answers were in memory too long; the next goes on
// from those.
func TestCrawl_ResumesAfterACrash(t *testing.T) {
	b := newBench(t)
	c := b.start(b.request(b.granted(), "192.0.2.7"))
	kept := b.dies(c.ID, "main/3", "transactions")
	before, _ := b.bank.count("")
	if kept < before-4 || kept == 0 {
		t.Errorf("of %d answers %d are written down", before-1, kept)
	}
	c = b.look(c.ID)
	b.ended(c, collection.Completed)
	b.complete(c.ID)
	if all, _ := b.bank.count(""); all-before != whole-kept {
		t.Errorf("%d answers were kept, and %d asked for anew", kept, all-before)
	}
}

// Without the person a question whose outcome is not known after a crash is not
// asked again: the institution may have counted it (RTS art. 36(5)(b)).
func TestCrawl_AsksNothingTwiceAfterACrash(t *testing.T) {
	for _, test := range []struct {
		link, kind string
		want       collection.Status
		asked      int
	}{
		{"", "accounts", collection.ThirdPartyError, 1},
		{"", "cards", collection.CompletedPartial, whole - 2},
		{"main/balances", "balances", collection.CompletedPartial, whole},
		{"main/2", "transactions", collection.CompletedPartial, whole - 1},
		{"main/3", "transactions", collection.CompletedPartial, whole},
	} {
		b := newBench(t)
		c := b.start(b.request(b.granted(), ""))
		b.dies(c.ID, test.link, test.kind)
		b.ended(b.look(c.ID), test.want)
		for q, n := range b.bank.times {
			if n != 1 {
				t.Errorf("died at %s: %s %s was asked %d times", test.kind, q.Kind, q.Link, n)
			}
		}
		if all, _ := b.bank.count(""); all != test.asked {
			t.Errorf("died at %s %s: %d questions were asked, want %d", test.kind, test.link, all, test.asked)
		}
	}
}
