package httpclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
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

// slowPartner is a partner that answers when the test lets it.
type slowPartner struct {
	*httpclient.Client
	t       *testing.T
	clock   *clock.Manual
	arrived chan struct{}
	answer  chan struct{}
}

func newSlowPartner(t *testing.T) *slowPartner {
	p := &slowPartner{t: t, clock: clock.NewManual(noon), arrived: make(chan struct{}), answer: make(chan struct{})}
	// Over HTTP/1.1 the time at which a request is written is read before the partner can
	// see the request, so a test can move the clock once all requests have arrived.
	s := partner(t, func(_ http.ResponseWriter, r *http.Request) {
		p.arrived <- struct{}{}
		select {
		case <-p.answer:
		case <-r.Context().Done():
		}
	}, func(s *httptest.Server) { s.EnableHTTP2 = false })
	settings := config(s.URL)
	settings.BreakerNow = p.clock.Now
	p.Client = client(t, settings)
	return p
}

// calls makes n calls at once, each of which takes d.
func (p *slowPartner) calls(n int, d time.Duration) {
	p.t.Helper()
	done := make(chan error, n)
	for range n {
		go func() {
			_, err := p.Do(p.t.Context(), request(p.t, p.Client, http.MethodGet))
			done <- err
		}()
		<-p.arrived
	}
	p.clock.Advance(d)
	for range n {
		p.answer <- struct{}{}
		if err := <-done; err != nil {
			p.t.Error(err)
		}
	}
}

func (p *slowPartner) refused() (*httpclient.Error, bool) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	cancel() // the partner is not called, whatever the state
	_, err := p.Do(ctx, request(p.t, p.Client, http.MethodGet))
	var e *httpclient.Error
	if !errors.As(err, &e) {
		p.t.Fatalf("got %v", err)
	}
	return e, e.Kind == httpclient.Overloaded
}

func TestBreaker_OpensWhenManyCallsAreSlow(t *testing.T) {
	p := newSlowPartner(t)
	p.calls(19, 5*time.Second)
	if _, refused := p.refused(); refused {
		t.Fatal("open after 19 slow calls")
	}
	p.calls(1, 5*time.Second)
	if _, refused := p.refused(); refused {
		t.Fatal("open although fewer than 20 calls were in flight at once")
	}
	p.calls(1, 5*time.Second-1)
	p.calls(20, 5*time.Second)
	e, refused := p.refused()
	if !refused || !e.NotSent() || e.RetryAfter != 5*time.Second {
		t.Fatalf("after 20 slow calls at once: %v, again after %v", e, e.RetryAfter)
	}
	p.clock.Advance(5 * time.Second)
	trial := make(chan struct{})
	go func() {
		defer close(trial)
		_, _ = p.Do(t.Context(), request(t, p.Client, http.MethodGet))
	}()
	<-p.arrived
	if e, refused := p.refused(); !refused || e.RetryAfter != time.Second {
		t.Errorf("during the trial: %v, again after %v", e, e.RetryAfter)
	}
	p.clock.Advance(7 * time.Second)
	p.answer <- struct{}{}
	<-trial
	if _, refused := p.refused(); refused {
		t.Error("open after the trial had a response")
	}
	p.calls(30, time.Second)
	if _, refused := p.refused(); refused {
		t.Error("open after quick calls")
	}
}

// Calls that wait for one of our connections say nothing about the partner.
func TestBreaker_DoesNotCountTheWaitForAConnection(t *testing.T) {
	release := make(chan struct{})
	s := partner(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}, func(s *httptest.Server) { s.EnableHTTP2 = false })
	settings := config(s.URL)
	settings.Limits.MaxConns, settings.Limits.Total = 1, 300*time.Millisecond
	c := client(t, settings)
	var calls sync.WaitGroup
	for range 60 {
		calls.Go(func() {
			if _, err := c.Do(t.Context(), request(t, c, http.MethodGet)); httpclient.KindOf(err) != httpclient.Timeout {
				t.Errorf("got %v", err)
			}
		})
	}
	calls.Wait()
	close(release)
	if _, err := do(t, c, http.MethodGet); err != nil {
		t.Errorf("after 60 calls, most of which were never sent: %v", err)
	}
}
