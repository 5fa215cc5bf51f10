package clocktest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
)

// failed is a test that has ended.
type failed struct {
	testing.TB
	said string
}

func (f *failed) Helper() {}

func (f *failed) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	panic(f)
}

func manual() *clock.Manual { return clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)) }

// What never comes ends each wait, with what was waited for: also while a clock can go on.
func TestWaits_EndWithWhatDidNotCome(t *testing.T) {
	defer func(was time.Duration) { limit = was }(limit)
	limit = 20 * time.Millisecond
	never, busy := make(chan int), manual()
	go func() {
		for {
			<-busy.NewTimer(time.Second).C()
		}
	}()
	for name, wait := range map[string]func(testing.TB){
		"receive":      func(tb testing.TB) { Receive(tb, "the guest", never) },
		"timers":       func(tb testing.TB) { Waiting(tb, manual(), 1, "the guest") },
		"idle clock":   func(tb testing.TB) { Advance(tb, "the guest", manual(), time.Second, never) },
		"moving clock": func(tb testing.TB) { Advance(tb, "the guest", busy, time.Second, never) },
		"poll":         func(tb testing.TB) { Poll(tb, "the guest", func() bool { return false }) },
	} {
		func() {
			defer func() {
				if f, is := recover().(*failed); !is || !strings.HasSuffix(f.said, "the guest") {
					t.Errorf("%s ends with %+v", name, f)
				}
			}()
			wait(&failed{TB: t})
			t.Errorf("%s has ended without it", name)
		}()
	}
}

func TestWaits_ReturnWhatComes(t *testing.T) {
	c, got := manual(), make(chan time.Time)
	go func() {
		for range 3 {
			<-c.NewTimer(time.Second).C()
		}
		got <- c.Now()
	}()
	Waiting(t, c, 1, "the first timer")
	began := c.Now()
	if at := Advance(t, "the end", c, 100*time.Millisecond, got); at.Sub(began) != 3*time.Second {
		t.Errorf("ended at %v", at)
	}
	closed := make(chan int)
	close(closed)
	if n := Receive(t, "the end", closed); n != 0 {
		t.Error(n)
	}
	Poll(t, "now", func() bool { return true })
}
