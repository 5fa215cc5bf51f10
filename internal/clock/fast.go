package clock

import (
	"sync"
	"time"
)

// Fast is a clock for tests over a real network or with real processes. It runs faster
// than the machine's clock by a factor, so that minutes pass in seconds, and can be moved
// forward, so that days pass at once.
//
// A factor over 1 holds for a process that gets the processors that it needs. One that has
// to wait for them has a slower clock, so that a limit of seconds on a busy machine leaves
// as much time for work as on an idle one.
type Fast struct {
	factor time.Duration
	passed func() time.Duration // of the machine, since some time

	mu     sync.Mutex
	start  time.Time // its time when began had passed
	began  time.Duration
	timers map[*fastTimer]struct{}
}

var _ Clock = (*Fast)(nil)

// NewFast returns a clock that begins at start and runs factor times as fast as the
// machine's.
func NewFast(start time.Time, factor int) *Fast {
	f := &Fast{factor: time.Duration(factor), start: start.UTC(), timers: map[*fastTimer]struct{}{}}
	if now := time.Now(); factor == 1 {
		f.passed = func() time.Duration { return time.Since(now) }
	} else {
		f.passed = machine().now
	}
	f.began = f.passed()
	return f
}

// Now implements Clock.
func (f *Fast) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now()
}

func (f *Fast) now() time.Time { return f.start.Add((f.passed() - f.began) * f.factor) }

// Jump moves the clock forward by d. Timers that are due then fire.
func (f *Fast) Jump(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start = f.start.Add(d)
	now := f.now()
	for t := range f.timers {
		if t.real.Stop() {
			t.real.Reset(max(0, t.at.Sub(now)/f.factor))
		}
	}
}

// NewTimer implements Clock.
func (f *Fast) NewTimer(d time.Duration) Timer {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &fastTimer{clock: f, at: f.now().Add(d), c: make(chan time.Time, 1)}
	t.real = time.AfterFunc(d/f.factor, t.fire)
	f.timers[t] = struct{}{}
	return t
}

type fastTimer struct {
	clock *Fast
	at    time.Time
	real  *time.Timer
	c     chan time.Time
}

func (t *fastTimer) fire() {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if _, waiting := t.clock.timers[t]; !waiting {
		return
	}
	now := t.clock.now()
	if left := t.at.Sub(now); left > 0 { // the clock was slower than its factor
		t.real.Reset(max(left/t.clock.factor, time.Millisecond)) // not ever shorter, as it would be at a share of the pace
		return
	}
	delete(t.clock.timers, t)
	t.c <- now
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
