package collect_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
)

// preparedTries is how often a bank that prepares an answer is asked, in all runs.
const preparedTries = 20

// neverReady makes the bank prepare the answer to one question for ever. At the tries that
// are in at, the run is lost: its process dies in the exchange. lost has one for each.
func (b *env) neverReady(link string, at ...int) (lost chan struct{}) {
	b.Helper()
	dead, lost := make(chan struct{}), make(chan struct{}, len(at))
	b.Cleanup(func() { close(dead) })
	b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
		if q.Link != link {
			return nil
		}
		for _, i := range at {
			if i == n {
				lost <- struct{}{}
				<-dead
			}
		}
		return &institution.Error{Kind: institution.Preparing, RetryAfter: time.Second, NotCounted: true}
	}
	return lost
}

// lose runs a collection until its run is lost, and goes on with a new process.
func (b *env) lose(id string, lost chan struct{}) {
	b.Helper()
	ended := make(chan error, 1)
	go func(dying *collect.Service) { ended <- dying.Handle(context.WithoutCancel(b.Context()), id) }(b.Service)
	for {
		select {
		case err := <-ended:
			b.Fatalf("the run has ended: %v", err)
		case <-lost:
			b.Service = b.service()
			return
		case <-b.Clock.Waits():
			b.Clock.Advance(100 * time.Millisecond)
		}
	}
}

// Runs that are lost while an answer is prepared do not give the next run all tries again.
// Without the person the question is not asked again at all: its outcome is not known.
func TestPrepared_TriesHoldForRunsThatAreLost(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for _, at := range [][]int{{2}, {3, 4}, {13}, {5, 6, 19}, {20}} {
			t.Run(fmt.Sprintf("%q lost at %v", ip, at), func(t *testing.T) {
				b := newEnv(t)
				c := b.start(b.request(b.authorizedConsent(), ip))
				want, runs := preparedTries, at
				if ip == "" {
					want, runs = at[0], at[:1]
				}
				lost := b.neverReady("main/2", runs...)
				for range runs {
					b.lose(c.ID, lost)
				}
				b.wantEnded(b.handle(c.ID), collection.CompletedPartial)
				if _, n := b.bank.count("main/2"); n != want {
					t.Errorf("asked %d times, want %d", n, want)
				}
			})
		}
	}
}

// A run that ends in the wait for a try that is stored already has not made it: the next run
// makes it.
func TestPrepared_TriesThatWereNotMadeAreLeft(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), ip))
		b.neverReady("main/2")
		want := preparedTries
		if ip != "" { // a cut question that the bank may have counted is given back its try too
			prepares := b.bank.fetches
			b.bank.fetches = func(ctx context.Context, q institution.Question, n int) error {
				if q.Link == "main/2" && n == 1 {
					return kind(institution.Unreachable)
				}
				return prepares(ctx, q, n)
			}
			want++
		}
		for _, n := range []int{4, 9, 10} {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- b.Handle(ctx, c.ID) }()
			for asked := 0; asked < n; _, asked = b.bank.count("main/2") {
				if b.Clock.Waiting() > 0 {
					b.Clock.Advance(100 * time.Millisecond)
				}
			}
			for !b.row(c.ID).WakeAt.Equal(b.Clock.Now().Add(jobs.Lease)) {
				runtime.Gosched() // until the next try is stored
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		b.wantEnded(b.until(c.ID), collection.CompletedPartial)
		if _, n := b.bank.count("main/2"); n != want {
			t.Errorf("%q: asked %d times, want %d", ip, n, want)
		}
	}
}

// A run that has lost its lease goes on until it writes: the other run has then changed the
// row.
func TestPrepared_TriesHoldForTwoRunsAtOnce(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		b := newEnv(t)
		c := b.start(b.request(b.authorizedConsent(), ip))
		b.neverReady("main/2")
		ended := make(chan error, 1)
		go func(slow *collect.Service) { ended <- slow.Handle(context.WithoutCancel(b.Context()), c.ID) }(b.Service)
		for asked := 0; asked < 7; _, asked = b.bank.count("main/2") {
			if b.Clock.Waiting() > 0 {
				b.Clock.Advance(100 * time.Millisecond)
			}
		}
		b.Service = b.service()
		b.MustRun(b.Handle, c.ID)
		for over := false; !over; {
			select {
			case err := <-ended:
				if over = true; err != nil {
					t.Error(err)
				}
			case <-b.Clock.Waits():
				b.Clock.Advance(100 * time.Millisecond)
			}
		}
		b.wantEnded(b.until(c.ID), collection.CompletedPartial) // of one of them, or of a third run
		if _, n := b.bank.count("main/2"); n > preparedTries {
			t.Errorf("%q: asked %d times", ip, n)
		}
	}
}

// The tries are also kept of a question of which one failed otherwise, by a run that ends in
// order.
func TestPrepared_TriesHoldAfterOtherFailures(t *testing.T) {
	b := newEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.bank.fetches = func(_ context.Context, q institution.Question, n int) error {
		switch {
		case q.Link != "main/2":
			return nil
		case n == 12:
			cancel() // the time of the first run is over
		case n%8 == 1:
			return kind(institution.Unreachable)
		}
		return &institution.Error{Kind: institution.Preparing, RetryAfter: time.Second, NotCounted: true}
	}
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	if err := b.Run(ctx, b.Handle, c.ID); err != nil {
		t.Fatal(err)
	}
	b.Service = b.service()
	b.wantEnded(b.handle(c.ID), collection.CompletedPartial)
	if _, n := b.bank.count("main/2"); n != preparedTries+1 { // the first try failed before
		t.Errorf("asked %d times", n)
	}
}

// The tries hold over a wait for a renewal that is given up, and begin anew under a new
// consent: the bank has not been asked for anything under it.
func TestPrepared_TriesHoldUnderOneConsent(t *testing.T) {
	for _, renewed := range []bool{false, true} {
		b := newEnv(t)
		old := b.authorizedConsent()
		next := b.renewal(old)
		c := b.begin(old.ID, true)
		prepared, refused := 0, false
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			if q.Kind != "accounts" {
				return nil
			}
			if prepared++; prepared == 8 && !refused {
				refused = true
				return kind(institution.ConsentGone)
			}
			return &institution.Error{Kind: institution.Preparing, RetryAfter: time.Second, NotCounted: true}
		}
		b.MustRun(b.Handle, c.ID)
		if c = b.row(c.ID); c.Status.Terminal() || !refused {
			t.Fatalf("%s before the renewal has ended", c.Status)
		}
		want := preparedTries
		if renewed {
			b.replace(old, next)
			want = 8 + preparedTries
		} else {
			b.apply(next.ID, consent.FailedWith{Code: consent.AuthenticationMismatch})
		}
		b.until(c.ID)
		if prepared != want {
			t.Errorf("renewed %t: asked %d times, want %d", renewed, prepared, want)
		}
	}
}
