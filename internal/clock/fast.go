package clock

import "time"

// NewFast returns a clock that begins at start and runs factor times as fast as
// the machine's. A test over a real network or with real processes uses it to
// pass time limits of minutes in seconds.
func NewFast(start time.Time, factor int) Clock {
	return fast{start.UTC(), time.Now(), time.Duration(factor)}
}

type fast struct {
	start, created time.Time // on this clock and on the machine's
	factor         time.Duration
}

func (f fast) Now() time.Time { return f.start.Add(time.Since(f.created) * f.factor) }

func (f fast) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d / f.factor)} }
