package clock

import (
	"sync"
	"time"
)

// Manual is a clock for tests: its time changes only in Advance and Set. Timers
// fire inside these calls, the earliest first.
type Manual struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*manualTimer]struct{}
	waits  map[int]chan struct{} // closed, and removed, as soon as so many timers wait
}

// NewManual returns a clock whose time is t.
func NewManual(t time.Time) *Manual {
	return &Manual{now: t.UTC(), timers: map[*manualTimer]struct{}{}, waits: map[int]chan struct{}{}}
}

// Now returns the time that the clock was last set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock forward by d and fires the timers that are due.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(m.now.Add(d))
}

// Set moves the clock to t and fires the timers that are due. A t before the
// clock's time is ignored: a clock never runs backwards.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(t.UTC())
}

func (m *Manual) set(t time.Time) {
	if t.Before(m.now) {
		return
	}
	for {
		var next *manualTimer
		for timer := range m.timers {
			if !timer.at.After(t) && (next == nil || timer.at.Before(next.at)) {
				next = timer
			}
		}
		if next == nil {
			break
		}
		delete(m.timers, next)
		m.now = next.at
		next.c <- next.at
	}
	m.now = t
}

// NewTimer implements Clock.
func (m *Manual) NewTimer(d time.Duration) Timer {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &manualTimer{clock: m, at: m.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		t.c <- m.now
		return t
	}
	m.timers[t] = struct{}{}
	if so := len(m.timers); m.waits[so] != nil {
		close(m.waits[so])
		delete(m.waits, so)
	}
	return t
}

// Waiting returns the number of timers that have not fired yet. A test uses it
// to find out that the code under test has started to wait.
func (m *Manual) Waiting() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.timers)
}

// Waits returns a channel that is closed as soon as a timer waits, which may be now. A test
// uses it to wait until the code under test has started to wait.
func (m *Manual) Waits() <-chan struct{} { return m.WaitsFor(1) }

// WaitsFor is Waits for n timers at once.
func (m *Manual) WaitsFor(n int) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.waits[n]; c != nil {
		return c
	}
	c := make(chan struct{})
	if len(m.timers) >= n {
		close(c)
	} else {
		m.waits[n] = c
	}
	return c
}

type manualTimer struct {
	clock *Manual
	at    time.Time
	c     chan time.Time
}

func (t *manualTimer) C() <-chan time.Time { return t.c }

func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, waiting := t.clock.timers[t]
	delete(t.clock.timers, t)
	return waiting
}
