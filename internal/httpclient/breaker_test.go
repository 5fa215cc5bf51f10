package httpclient_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/httpclient"
)

// breakable is a partner that resets each request, or keeps it without a
// response, until it is up.
type breakable struct {
	*httpclient.Client
	t        *testing.T
	clock    *clock.Manual
	received atomic.Int64
	up       atomic.Bool
	hang     atomic.Bool
	hanging  chan struct{} // one value for each request that is kept
}

func newBreakable(t *testing.T) *breakable {
	b := &breakable{t: t, clock: clock.NewManual(noon), hanging: make(chan struct{}, 100)}
	s := partner(t, func(w http.ResponseWriter, r *http.Request) {
		b.received.Add(1)
		switch {
		case b.hang.Load():
			b.hanging <- struct{}{}
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // a response could still reach the client while it closes the connection
		case !b.up.Load():
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusInternalServerError) // a response all the same
		}
	})
	settings := config(s.URL)
	settings.BreakerNow = b.clock.Now
	b.Client = client(t, settings)
	return b
}

// want makes one call and checks the kind of its error, "" for a response.
func (b *breakable) want(when string, kind httpclient.Kind) {
	b.t.Helper()
	before := b.received.Load()
	_, err := do(b.t, b.Client, http.MethodGet)
	switch {
	case kind == "" && err != nil, kind != "" && (err == nil || httpclient.KindOf(err) != kind):
		b.t.Errorf("%s: got %v, want %q", when, err, kind)
	case kind == httpclient.CircuitOpen && b.received.Load() != before:
		b.t.Errorf("%s: the partner received a request", when)
	}
}

// cancel makes one call and cancels it when the partner has received it.
func (b *breakable) cancel() {
	b.t.Helper()
	b.hang.Store(true)
	defer b.hang.Store(false)
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	go func() {
		<-b.hanging
		cancel()
	}()
	if _, err := b.Do(ctx, request(b.t, b.Client, http.MethodGet)); httpclient.KindOf(err) != httpclient.Canceled || err == nil {
		b.t.Errorf("got %v, want %q", err, httpclient.Canceled)
	}
}

func TestBreaker_OpensAfterFailuresInARowAndClosesAfterAResponse(t *testing.T) {
	b := newBreakable(t)
	b.up.Store(true)
	b.want("before", "")
	b.up.Store(false)
	for range 20 {
		b.want("closed", httpclient.ConnectionFailed)
	}
	b.want("after 20 failures", httpclient.CircuitOpen)
	b.clock.Advance(5*time.Second - 1)
	b.want("before the pause is over", httpclient.CircuitOpen)
	b.clock.Advance(1)
	b.want("the trial", httpclient.ConnectionFailed)
	b.want("after the trial failed", httpclient.CircuitOpen)
	b.clock.Advance(5 * time.Second)
	b.up.Store(true)
	for range 30 {
		b.want("after the partner is back", "")
	}
	b.up.Store(false)
	for range 19 {
		b.want("closed again", httpclient.ConnectionFailed)
	}
	b.up.Store(true)
	b.want("a response between the failures", "")
	b.up.Store(false)
	for range 20 {
		b.want("failures are counted from the last response", httpclient.ConnectionFailed)
	}
	b.want("after 20 failures in a row", httpclient.CircuitOpen)
}

func TestBreaker_DoesNotCountACallersCancellation(t *testing.T) {
	b := newBreakable(t)
	for range 40 {
		b.cancel()
	}
	b.want("closed", httpclient.ConnectionFailed)
}

func TestBreaker_CanceledTrialLetsTheNextCallTry(t *testing.T) {
	b := newBreakable(t)
	for range 20 {
		b.want("closed", httpclient.ConnectionFailed)
	}
	b.clock.Advance(5 * time.Second)
	b.cancel()
	b.up.Store(true)
	b.want("the next call is the trial", "")
	b.want("the circuit is closed", "")
}

func TestBreaker_LetsOneTrialThroughAtATime(t *testing.T) {
	b := newBreakable(t)
	for range 20 {
		b.want("closed", httpclient.ConnectionFailed)
	}
	b.clock.Advance(5 * time.Second)
	b.hang.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	trial := make(chan error)
	go func() {
		_, err := b.Do(ctx, request(t, b.Client, http.MethodGet))
		trial <- err
	}()
	<-b.hanging
	b.clock.Advance(time.Hour)
	b.want("while the trial is on its way", httpclient.CircuitOpen)
	cancel()
	if err := <-trial; httpclient.KindOf(err) != httpclient.Canceled {
		t.Errorf("the trial: %v", err)
	}
}
