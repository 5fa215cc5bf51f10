package collect_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"samla/internal/clock/clocktest"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
)

// preparedTries is how often a bank that prepares an answer is asked, in all runs.
const preparedTries = 20

// neverReady makes the bank prepare the answer to one question for ever.
func (b *env) neverReady(link string) {
	b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
		if q.Link != link {
			return nil
		}
		return &institution.Error{Kind: institution.Preparing, RetryAfter: time.Second, NotCounted: true}
	}
}

// exchange is one that does not end until the test lets it. held is sent to when it begins.
type exchange struct{ held, release chan struct{} }

// hold makes the tries at of a question such exchanges.
func (b *env) hold(link string, at ...int) map[int]exchange {
	held, answers := map[int]exchange{}, b.bank.fetches
	for _, n := range at {
		held[n] = exchange{make(chan struct{}), make(chan struct{})}
	}
	b.bank.fetches = func(ctx context.Context, q institution.Question, n int) error {
		if x, is := held[n]; is && q.Link == link {
			x.held <- struct{}{}
			<-x.release
		}
		return answers(ctx, q, n)
	}
	return held
}

// run begins a run of a collection on the node of now.
func (b *env) run(ctx context.Context, id string) (ended chan error) {
	ended = make(chan error, 1)
	go func(s *collect.Service) { ended <- s.Handle(ctx, id) }(b.Service)
	return ended
}

// runUntil begins a run of a collection and returns when it is in an exchange. The clock goes
// on until then, and stands after it.
func (b *env) runUntil(ctx context.Context, id string, in exchange) (ended chan error) {
	b.Helper()
	ended = b.run(ctx, id)
	clocktest.Advance(b.TB, "the exchange", b.Clock, 100*time.Millisecond, in.held)
	return ended
}

// thenWaits ends the exchange of a run, which has no other in flight, and returns when the run
// waits for its next try. That one is stored by then.
func (b *env) thenWaits(id string, in exchange) {
	b.Helper()
	others := b.Clock.Waiting() // the run's timer for those who poll, if it has not fired
	close(in.release)
	clocktest.Waiting(b.TB, b.Clock, others+1, "the wait for the next try")
	if due := b.row(id).WakeAt; !due.Equal(b.Clock.Now().Add(jobs.Lease)) {
		b.Fatalf("the next try is not stored: due at %s, now %s", due, b.Clock.Now())
	}
}

// end lets the time of a run go on until it has ended.
func (b *env) end(ended chan error) {
	b.Helper()
	if err := clocktest.Advance(b.TB, "the end of the run", b.Clock, 100*time.Millisecond, ended); err != nil {
		b.Fatal(err)
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
				b.neverReady("main/2")
				in := b.hold("main/2", runs...)
				for _, n := range runs { // the run's process dies in the exchange, and another one goes on
					ended := b.runUntil(context.WithoutCancel(t.Context()), c.ID, in[n])
					defer func() {
						close(in[n].release)
						b.end(ended)
					}()
					b.Service = b.service()
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
		at := []int{4, 9, 10}
		in := b.hold("main/2", at...)
		for _, n := range at {
			ctx, cancel := context.WithCancel(t.Context())
			ended := b.runUntil(ctx, c.ID, in[n])
			b.thenWaits(c.ID, in[n])
			cancel()
			if err := clocktest.Receive(t, "the end of the run", ended); err != nil {
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
// row. It is slow in an exchange, or in the wait for the next one, which it then makes.
func TestPrepared_TriesHoldForTwoRunsAtOnce(t *testing.T) {
	for _, ip := range []string{"192.0.2.7", ""} {
		for _, waits := range []bool{false, true} {
			b := newEnv(t)
			c := b.start(b.request(b.authorizedConsent(), ip))
			b.neverReady("main/2")
			slow := b.hold("main/2", 7)[7]
			ended := b.runUntil(context.WithoutCancel(t.Context()), c.ID, slow)
			if waits {
				b.thenWaits(c.ID, slow)
			}
			b.Service = b.service()
			least, most := preparedTries, preparedTries
			switch {
			case ip == "": // it does not ask, for the outcome is not known: the time of the slow one stands
				if err := clocktest.Receive(t, "the end of the other run", b.run(t.Context(), c.ID)); err != nil {
					t.Fatal(err)
				}
				if least, most = 7, 7; waits {
					least, most = 8, 8
				}
			case waits: // both go on by the same clock, and either may be the first to write
				least = 8
				fallthrough
			default:
				b.MustRun(b.Handle, c.ID)
			}
			if !waits {
				close(slow.release)
			}
			b.end(ended)
			b.wantEnded(b.until(c.ID), collection.CompletedPartial)
			if _, n := b.bank.count("main/2"); n < least || n > most {
				t.Errorf("%q, waits %t: asked %d times", ip, waits, n)
			}
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
