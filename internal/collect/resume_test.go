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

// The test interrupts a run at each question in turn. The next run asks only the
// questions without an answer.
func TestCrawl_ResumesAttended(t *testing.T) {
	for at := 1; at <= whole; at++ {
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
		c = b.interrupt(c.ID, at, kind(institution.Unreachable))
		if b.rawCount(c.ID) != at-1 {
			t.Fatalf("interrupted at %d: %d answers are kept", at, b.rawCount(c.ID))
		}
		b.Service = b.service()
		b.Clock.Advance(time.Minute)
		c = b.handle(c.ID)
		b.wantEnded(c, collection.Completed)
		b.wantComplete(c.ID)
		if all, _ := b.bank.count(""); all != whole+1 || b.rawCount(c.ID) != whole {
			t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.rawCount(c.ID))
		}
	}
}

// When the time of an unattended run is over, the exchange in flight is completed,
// because the bank has counted it. No question is asked twice.
func TestCrawl_ResumesUnattended(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		for at := 1; at <= whole; at++ {
			b := newEnv(t)
			b.profile(func(p *institution.Profile) { p.Parallel = parallel })
			c := b.start(b.request(b.authorizedConsent(), ""))
			c = b.interrupt(c.ID, at, nil)
			if n := b.rawCount(c.ID); n < at || n >= at+parallel {
				t.Fatalf("interrupted at %d: %d answers are kept", at, n)
			}
			b.Service = b.service()
			b.ReadTimeUnattended = 48 * time.Hour
			b.Clock.Advance(25 * time.Hour) // the day after, the same is asked
			c = b.handle(c.ID)
			b.wantEnded(c, collection.Completed)
			b.wantComplete(c.ID)
			if all, _ := b.bank.count(""); all != whole || b.rawCount(c.ID) != whole {
				t.Errorf("interrupted at %d: asked %d times, %d answers are kept", at, all, b.rawCount(c.ID))
			}
		}
	}
}

// interrupt runs a collection and ends the time of the run during the question with
// this number. The collection is then due now, unless that was the last question.
func (b *env) interrupt(id string, at int, outcome error) collection.Collection {
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

// crash simulates a process that dies during a question. It returns how many answers
// were stored.
func (b *env) crash(id string, link, kind string) (kept int) {
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
	kept = b.rawCount(id)
	b.Service = b.service()
	return kept
}

// After a crash the next process continues from the answers that were stored.
func TestCrawl_ResumesAfterCrash(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	kept := b.crash(c.ID, "main/3", "transactions")
	before, _ := b.bank.count("")
	if kept < before-4 || kept == 0 {
		t.Errorf("of %d answers %d are written down", before-1, kept)
	}
	c = b.handle(c.ID)
	b.wantEnded(c, collection.Completed)
	b.wantComplete(c.ID)
	if all, _ := b.bank.count(""); all-before != whole-kept {
		t.Errorf("%d answers were kept, and %d asked for anew", kept, all-before)
	}
}

// An unattended question whose outcome is unknown after a crash is not asked again: the
// bank may have counted it (RTS art. 36(5)(b)).
func TestCrawl_RepeatsNoUnattendedQuestionAfterCrash(t *testing.T) {
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
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), ""))
		b.crash(c.ID, test.link, test.kind)
		b.wantEnded(b.handle(c.ID), test.want)
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

// A question that the bank never answers does not keep a polled collection running for
// ever.
func TestCrawl_EndsAlthoughAQuestionHangs(t *testing.T) {
	for link, want := range map[string]collection.Status{"save/transactions": collection.CompletedPartial, "": collection.ThirdPartyError} {
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
		runs := 0
		for ; !c.Status.Terminal() && runs < 200; runs++ {
			ctx, over := context.WithCancel(t.Context())
			b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
				if q.Link == link {
					b.Clock.Advance(15 * time.Second)
					over()
					return kind(institution.Unreachable)
				}
				return nil
			}
			if err := b.Run(ctx, b.Handle, c.ID); err != nil {
				t.Fatal(err)
			}
			over()
			if c = b.row(c.ID); !c.Status.Terminal() {
				b.poll(b.Service, c.ID)
			}
		}
		b.wantEnded(c, want)
		if runs > 65 {
			t.Errorf("%q hangs: %d runs", link, runs)
		}
	}
}
