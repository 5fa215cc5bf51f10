package clock

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A process that computes with a part of the processors that it could use has a clock that
// is slower in that proportion.
func TestPace_PassesAsTheWorkDoes(t *testing.T) {
	for name, c := range map[string]struct {
		goroutines int
		processors float64
		want       float64
	}{
		"waits":                             {0, 0, 1},
		"computes alone":                    {1, 1, 1},
		"uses more than it is seen to need": {1, 1.5, 1},
		"two on one processor":              {2, 1, 0.5},
		"one beside many processes":         {1, 0.3, 0.3},
		"gets nothing":                      {4, 0, leastShare},
	} {
		at := time.Unix(0, 0)
		p, used := newPace(at), time.Duration(0)
		step := func(n int) time.Duration {
			for range n {
				at, used = at.Add(beat), used+time.Duration(c.processors*float64(beat))
				p.count(at, c.goroutines, used)
			}
			return p.until(at)
		}
		before := step(200) // the averages have settled
		if got := float64(step(100)-before) / float64(100*beat); got < c.want*0.99 || got > c.want*1.01 {
			t.Errorf("%s: %.3f of the machine's time passed, want %.3f", name, got, c.want)
		}
	}
}

// A beat that comes late does not let the time go on meanwhile.
func TestPace_WaitsForALateBeat(t *testing.T) {
	at := time.Unix(0, 0)
	p := newPace(at)
	if got := p.until(at.Add(time.Second)); got < 3*beat || got > time.Second/3 {
		t.Errorf("%v passed in a second without a beat", got)
	}
	p.free = true
	if got := p.until(at.Add(time.Second)); got != time.Second {
		t.Errorf("%v passed in a second where nothing is counted", got)
	}
}

// Whatever is counted, the time never runs backwards, nor faster than the machine's.
func TestPace_IsMonotone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		at := time.Unix(0, 0)
		p, used, last := newPace(at), time.Duration(0), time.Duration(0)
		for range rapid.IntRange(1, 50).Draw(rt, "n") {
			since := time.Duration(rapid.Int64Range(0, int64(200*time.Millisecond)).Draw(rt, "since"))
			at = at.Add(since)
			if rapid.Bool().Draw(rt, "beat") {
				used += time.Duration(rapid.Int64Range(0, 4*int64(since)+1).Draw(rt, "used"))
				p.count(at, rapid.IntRange(0, 100).Draw(rt, "goroutines"), used)
			}
			now := p.until(at)
			if now < last || now-last > since {
				rt.Fatalf("%v became %v in %v", last, now, since)
			}
			last = now
		}
	})
}

// Four times as many goroutines as processors slow the clock down, and hours of it pass
// nevertheless.
func TestFast_SlowsDownWhereThereIsMoreWorkThanProcessors(t *testing.T) {
	if _, known := processorTime(); !known {
		t.Skip("the processor time of a process is not known here")
	}
	start := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	const factor = 36_000 // an hour in a tenth of a second
	c := NewFast(start, factor)
	var group sync.WaitGroup
	var stop atomic.Bool
	for range 4 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for !stop.Load() { // it computes
			}
		})
	}
	began := time.Now()
	timer := c.NewTimer(2 * time.Hour)
	fired := <-timer.C()
	took := time.Since(began)
	stop.Store(true)
	group.Wait()
	if fired.Before(start.Add(2 * time.Hour)) {
		t.Errorf("fired at %v", fired)
	}
	if took < 350*time.Millisecond {
		t.Errorf("two hours took %v, as on an idle machine", took)
	}
}
