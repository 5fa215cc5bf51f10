package e2e

import (
	"sync"
	"time"

	"samla/internal/clock"
)

// warp is a clock that runs some times as fast as the machine's and can be moved
// ahead, so that a test sees days pass between two real exchanges.
type warp struct {
	factor time.Duration

	mu     sync.Mutex
	start  time.Time // shown when began was the machine's time
	began  time.Time
	timers map[*warpTimer]struct{}
}

var _ clock.Clock = (*warp)(nil)

func newWarp(start time.Time, factor int) *warp {
	return &warp{factor: time.Duration(factor), start: start, began: time.Now(), timers: map[*warpTimer]struct{}{}}
}

// Now implements clock.Clock.
func (w *warp) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

func (w *warp) now() time.Time { return w.start.Add(time.Since(w.began) * w.factor) }

// jump moves the clock ahead; what comes due by it fires.
func (w *warp) jump(d time.Duration) {
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
func (w *warp) NewTimer(d time.Duration) clock.Timer {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &warpTimer{clock: w, at: w.now().Add(d), c: make(chan time.Time, 1)}
	t.real = time.AfterFunc(d/w.factor, t.fire)
	w.timers[t] = struct{}{}
	return t
}

type warpTimer struct {
	clock *warp
	at    time.Time
	real  *time.Timer
	c     chan time.Time
}

func (t *warpTimer) fire() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if _, waiting := t.clock.timers[t]; waiting {
		delete(t.clock.timers, t)
		t.c <- t.clock.now()
	}
}

func (t *warpTimer) C() <-chan time.Time { return t.c }

func (t *warpTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, waiting := t.clock.timers[t]
	delete(t.clock.timers, t)
	t.real.Stop()
	return waiting
}
