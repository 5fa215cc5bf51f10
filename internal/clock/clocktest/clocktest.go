// Package clocktest lets a test and the code that it tests meet by signals and by a manual
// clock. Each wait ends: by what it waits for, or with a failure that says what did not come.
package clocktest

import (
	"runtime"
	"testing"
	"time"

	"samla/internal/clock"
)

// limit is how long a wait lasts by the time of the machine. It is no measure: what has not
// come by then never comes, also on a busy machine.
var limit = 3 * time.Minute

// Receive returns what comes from a channel, or the zero value once it is closed.
func Receive[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	select {
	case v := <-from:
		return v
	case <-end.C:
		fail(tb, what)
		panic("unreachable")
	}
}

// Waiting returns when n timers wait on c: the code under test has started to wait.
func Waiting(tb testing.TB, c *clock.Manual, n int, what string) {
	tb.Helper()
	Receive(tb, what, c.WaitsFor(n))
}

// Advance moves c forward by step whenever somebody waits on it, until something comes from a
// channel, which it returns. How far c has then moved depends on the scheduler, unless what
// comes is sent by somebody who waits on c before and after.
func Advance[T any](tb testing.TB, what string, c *clock.Manual, step time.Duration, until <-chan T) T {
	tb.Helper()
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		select {
		case v := <-until:
			return v
		default:
		}
		select {
		case v := <-until:
			return v
		case <-end.C:
			fail(tb, what)
		case <-c.Waits():
			c.Advance(step)
			runtime.Gosched() // for those whose timers have fired
		}
	}
}

// Poll returns when holds returns true. It is for what gives no signal, such as a row that is
// written in the background.
func Poll(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			fail(tb, what)
		}
	}
}

func fail(tb testing.TB, what string) {
	tb.Helper()
	tb.Fatalf("not within %v: %s", limit, what)
}
