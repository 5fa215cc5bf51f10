package clock_test

import (
	"context"
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/clock"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func TestManual_FiresTheEarliestTimerFirst(t *testing.T) {
	c := clock.NewManual(start)
	late, early := c.NewTimer(2*time.Second), c.NewTimer(time.Second)
	c.Advance(3 * time.Second)
	if got := <-early.C(); !got.Equal(start.Add(time.Second)) {
		t.Errorf("the early timer fired at %v", got)
	}
	if got := <-late.C(); !got.Equal(start.Add(2 * time.Second)) {
		t.Errorf("the late timer fired at %v", got)
	}
	if !c.Now().Equal(start.Add(3 * time.Second)) {
		t.Errorf("now is %v", c.Now())
	}
}

func TestManual_IgnoresAnEarlierTime(t *testing.T) {
	c := clock.NewManual(start)
	c.Set(start.Add(-time.Hour))
	if !c.Now().Equal(start) {
		t.Errorf("now is %v, want %v", c.Now(), start)
	}
}

func TestManual_StoppedTimerDoesNotFire(t *testing.T) {
	c := clock.NewManual(start)
	timer := c.NewTimer(time.Second)
	if !timer.Stop() {
		t.Error("Stop reports that the timer had fired")
	}
	c.Advance(time.Minute)
	select {
	case <-timer.C():
		t.Error("a stopped timer fired")
	default:
	}
	if timer.Stop() {
		t.Error("a second Stop reports that it stopped the timer")
	}
}

func TestSleep_ReturnsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.Sleep(ctx, clock.NewManual(start), time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// passed is a clock on which each wait is over before anybody looks at its timer, as for a
// goroutine that has to wait for a processor.
type passed struct{ clock.Clock }

func (p passed) NewTimer(time.Duration) clock.Timer { return p.Clock.NewTimer(0) }

func TestSleep_DoesNotEndWellAfterItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := clock.Sleep(ctx, passed{clock.NewManual(start)}, time.Second); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	}
}

func TestSystem_IsInUTC(t *testing.T) {
	if loc := clock.System().Now().Location(); loc != time.UTC {
		t.Errorf("location is %v", loc)
	}
	if err := clock.Sleep(context.Background(), clock.System(), time.Millisecond); err != nil {
		t.Error(err)
	}
}

func TestFast_RunsAheadOfTheMachine(t *testing.T) {
	c := clock.NewFast(start, 1000)
	if err := clock.Sleep(context.Background(), c, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if passed := c.Now().Sub(start); passed < 5*time.Second {
		t.Errorf("%v passed in a sleep of 5 s", passed)
	}
}

func TestFast_JumpFiresWhatIsDue(t *testing.T) {
	c := clock.NewFast(start, 1)
	due, later, stopped := c.NewTimer(time.Hour), c.NewTimer(48*time.Hour), c.NewTimer(time.Hour)
	if !stopped.Stop() {
		t.Error("Stop reports that the timer had fired")
	}
	c.Jump(24 * time.Hour)
	if got := <-due.C(); got.Before(start.Add(24 * time.Hour)) {
		t.Errorf("fired at %v", got)
	}
	if due.Stop() {
		t.Error("Stop of a timer that has fired reports that it stopped the timer")
	}
	if !later.Stop() {
		t.Error("a timer that is not due fired")
	}
	select {
	case <-stopped.C():
		t.Error("a stopped timer fired")
	default:
	}
	if now := c.Now(); now.Before(start.Add(24*time.Hour)) || now.After(start.Add(25*time.Hour)) {
		t.Errorf("now is %v", now)
	}
}

func TestBackoff_DoublesUpToTheLongest(t *testing.T) {
	for _, c := range []struct {
		failed               int
		first, longest, want time.Duration
	}{
		{0, time.Second, time.Minute, time.Second},
		{1, time.Second, time.Minute, time.Second},
		{3, time.Second, time.Minute, 4 * time.Second},
		{7, time.Second, time.Minute, time.Minute},
		{1000, time.Second, time.Minute, time.Minute},
		{30, 17 * time.Second, 24 * time.Hour, 24 * time.Hour}, // 17 s << 29 does not fit into 63 bits
		{1, time.Hour, time.Minute, time.Minute},
	} {
		if d := clock.Backoff(c.failed, c.first, c.longest); d > c.want || d < c.want*4/5 {
			t.Errorf("after %d failures from %v: got %v, want about %v", c.failed, c.first, d, c.want)
		}
	}
}

// The wait is positive, at most longest, and within a fifth of the ideal, which
// the test computes with integers that cannot overflow.
func TestBackoff_StaysWithinAFifthOfTheIdeal(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		failed := rapid.IntRange(-1, 200).Draw(rt, "failed")
		first := rapid.Int64Range(1, math.MaxInt64).Draw(rt, "first")
		longest := rapid.Int64Range(1, math.MaxInt64).Draw(rt, "longest")
		ideal := new(big.Int).Lsh(big.NewInt(first), uint(max(failed-1, 0)))
		if limit := big.NewInt(longest); ideal.Cmp(limit) > 0 {
			ideal = limit
		}
		got := clock.Backoff(failed, time.Duration(first), time.Duration(longest))
		least := new(big.Int).Mul(ideal, big.NewInt(4))
		least.Quo(least, big.NewInt(5))
		if wait := big.NewInt(int64(got)); got <= 0 || wait.Cmp(ideal) > 0 || wait.Cmp(least) < 0 {
			rt.Fatalf("Backoff(%d, %d, %d) is %d, ideal is %s", failed, first, longest, got, ideal)
		}
	})
}

func TestManual_TellsWhenSeveralWait(t *testing.T) {
	c := clock.NewManual(start)
	is := func(ch <-chan struct{}, want bool, when string) {
		t.Helper()
		select {
		case <-ch:
			if !want {
				t.Error(when)
			}
		default:
			if want {
				t.Error(when)
			}
		}
	}
	three, two := c.WaitsFor(3), c.WaitsFor(2)
	first := c.NewTimer(time.Second)
	c.NewTimer(time.Minute)
	is(two, true, "two do not count")
	is(three, false, "two count as three")
	first.Stop()
	is(c.WaitsFor(2), false, "a stopped timer counts")
	c.NewTimer(time.Minute)
	c.NewTimer(time.Minute)
	is(three, true, "three do not count")
	is(c.WaitsFor(3), true, "three that wait already do not count")
}

// Waits tells a test when the code under test has started to wait, and not before.
func TestManual_TellsWhenSomebodyWaits(t *testing.T) {
	c := clock.NewManual(start)
	closed := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	waits := c.Waits()
	if closed(waits) {
		t.Error("somebody waits before a timer is started")
	}
	first, second := c.NewTimer(time.Second), c.NewTimer(time.Minute)
	if !closed(waits) || !closed(c.Waits()) {
		t.Error("nobody waits for two timers")
	}
	c.Advance(time.Second)
	<-first.C()
	if !closed(c.Waits()) {
		t.Error("nobody waits for the other timer")
	}
	second.Stop()
	if closed(c.Waits()) {
		t.Error("somebody waits after the last timer was stopped")
	}
	c.NewTimer(0)
	if closed(c.Waits()) {
		t.Error("somebody waits for a timer that has fired at once")
	}
	waits = c.Waits()
	c.NewTimer(time.Second)
	if !closed(waits) {
		t.Error("nobody waits for the third timer")
	}
	c.Advance(time.Minute)
	if closed(c.Waits()) {
		t.Error("somebody waits after the last timer has fired")
	}
}
