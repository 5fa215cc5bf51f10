// Package clock provides the time to every part of Samla.
//
// No other package calls time.Now or time.NewTimer to make a decision. It is
// given a Clock instead, so that a test, the demo or the sandbox can control
// the time.
package clock

import (
	"context"
	"time"
)

// Clock returns the time and starts timers. Implementations are safe for
// concurrent use.
type Clock interface {
	// Now returns the current time in UTC.
	Now() time.Time
	// NewTimer returns a timer that sends on its channel once, when d has passed
	// on this clock. With a d of zero or less it sends at once.
	NewTimer(d time.Duration) Timer
}

// Timer is a timer of a Clock.
type Timer interface {
	C() <-chan time.Time
	// Stop releases the timer and reports whether it was stopped before it fired.
	Stop() bool
}

// System returns the clock of the machine.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now().UTC() }

func (system) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ t *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.t.C }
func (t systemTimer) Stop() bool          { return t.t.Stop() }

// Sleep waits until d has passed on c. If ctx ends first, it returns ctx's
// error.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
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
