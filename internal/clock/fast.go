package clock

import "time"

// NewFast returns a clock that shows start now and runs factor times as fast as
// the machine's, so that a test can live through minutes of time limits in
// seconds of real network and real processes.
func NewFast(start time.Time, factor int) Clock {
	return fast{start.UTC(), time.Now(), time.Duration(factor)}
}

type fast struct {
	start, began time.Time
	factor       time.Duration
}

func (f fast) Now() time.Time { return f.start.Add(time.Since(f.began) * f.factor) }

func (f fast) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d / f.factor)} }
