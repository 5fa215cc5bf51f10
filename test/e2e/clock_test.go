package e2e

import (
	"sync"
	"time"

	"samla/internal/clock"
)

// fastClock is a clock that runs faster than the system clock by a factor and can be moved
// forward, so that days can pass during a test.
type fastClock struct {
	factor time.Duration

	mu     sync.Mutex
	start  time.Time // its time at began
	began  time.Time
	timers map[*fastTimer]struct{}
}

var _ clock.Clock = (*fastClock)(nil)

func newFastClock(start time.Time, factor int) *fastClock {
	return &fastClock{factor: time.Duration(factor), start: start, began: time.Now(), timers: map[*fastTimer]struct{}{}}
}

// Now implements clock.Clock.
func (w *fastClock) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

func (w *fastClock) now() time.Time { return w.start.Add(time.Since(w.began) * w.factor) }

// jump moves the clock forward. Timers that are due then fire.
func (w *fastClock) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start = w.start.Add(d)
	now := w.now()
	for t := range w.timers {
		if t.real.Stop() {
			t.real.Reset(max(0, t.at.Sub(now)/w.factor))
		}
	}
}

// NewTimer implements clock.Clock.
func (w *fastClock) NewTimer(d time.Duration) clock.Timer {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &fastTimer{clock: w, at: w.now().Add(d), c: make(chan time.Time, 1)}
	t.real = time.AfterFunc(d/w.factor, t.fire)
	w.timers[t] = struct{}{}
	return t
}

type fastTimer struct {
	clock *fastClock
	at    time.Time
	real  *time.Timer
	c     chan time.Time
}

func (t *fastTimer) fire() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if _, waiting := t.clock.timers[t]; waiting {
		delete(t.clock.timers, t)
		t.c <- t.clock.now()
	}
}

func (t *fastTimer) C() <-chan time.Time { return t.c }

func (t *fastTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, waiting := t.clock.timers[t]
	delete(t.clock.timers, t)
	t.real.Stop()
	return waiting
}
