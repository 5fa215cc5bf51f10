// Package clock is where every part of Samla gets its time from.
//
// Nothing outside this package calls time.Now or time.NewTimer for a decision: a
// part is handed a Clock, so that a test, a demo or the sandbox can drive it.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and wakes its caller. Implementations are safe for
// concurrent use. Now is in UTC.
type Clock interface {
	Now() time.Time
	// NewTimer fires once on its channel when d has passed on this clock. A
	// duration of zero or less fires at once.
	NewTimer(d time.Duration) Timer
}

// Timer is what Clock.NewTimer hands out. Stop frees it; it reports whether the
// timer was stopped before it fired.
type Timer interface {
	C() <-chan time.Time
	Stop() bool
}

// System is the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now().UTC() }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ t *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.t.C }
func (t systemTimer) Stop() bool          { return t.t.Stop() }

// Sleep waits until d has passed on c, or ctx ends; then it returns ctx's error.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
