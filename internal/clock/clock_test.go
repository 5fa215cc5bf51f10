package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/clock"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func TestManualFiresInOrder(t *testing.T) {
	c := clock.NewManual(start)
	late, early := c.NewTimer(2*time.Second), c.NewTimer(time.Second)
	c.Advance(3 * time.Second)
	if got := <-early.C(); !got.Equal(start.Add(time.Second)) {
		t.Errorf("early fired at %v", got)
	}
	if got := <-late.C(); !got.Equal(start.Add(2 * time.Second)) {
		t.Errorf("late fired at %v", got)
	}
	if !c.Now().Equal(start.Add(3 * time.Second)) {
		t.Errorf("now is %v", c.Now())
	}
}

func TestManualNeverRunsBackwards(t *testing.T) {
	c := clock.NewManual(start)
	c.Set(start.Add(-time.Hour))
	if !c.Now().Equal(start) {
		t.Errorf("now is %v, want %v", c.Now(), start)
	}
}

func TestStoppedTimerDoesNotFire(t *testing.T) {
	c := clock.NewManual(start)
	timer := c.NewTimer(time.Second)
	if !timer.Stop() {
		t.Error("Stop says the timer had fired")
	}
	c.Advance(time.Minute)
	select {
	case <-timer.C():
		t.Error("a stopped timer fired")
	default:
	}
	if timer.Stop() {
		t.Error("a second Stop says it stopped something")
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.Sleep(ctx, clock.NewManual(start), time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestSystemClockIsUTC(t *testing.T) {
	if loc := clock.System().Now().Location(); loc != time.UTC {
		t.Errorf("location is %v", loc)
	}
	if err := clock.Sleep(context.Background(), clock.System(), time.Millisecond); err != nil {
		t.Error(err)
	}
}

func TestFastClockRunsAhead(t *testing.T) {
	c := clock.NewFast(start, 1000)
	if err := clock.Sleep(context.Background(), c, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if passed := c.Now().Sub(start); passed < 5*time.Second {
		t.Errorf("%v passed in a sleep of 5 s", passed)
	}
}

func TestBackoffDoublesAndStaysBelowItsLongest(t *testing.T) {
	for failed := range 64 {
		d := clock.Backoff(failed, time.Second, time.Minute)
		if d <= 0 || d > time.Minute {
			t.Fatalf("after %d: %v", failed, d)
		}
		if failed == 3 && (d < 3*time.Second || d > 4*time.Second) {
			t.Errorf("after 3: %v, want about 4 s", d)
		}
	}
}
