package harness

import (
	"testing"
	"time"

	"samla/internal/clock"
)

// Only under a clock that does not run as fast as the machine are persons counted, and only
// where a test does not say how many.
func TestWaiting_IsCountedByFastClocks(t *testing.T) {
	fast := clock.NewFast(time.Now(), 8)
	for _, c := range []struct {
		most int
		clk  clock.Clock
		want int
	}{{0, fast, 100_000}, {1, fast, 1}, {0, clock.System(), 0}, {0, nil, 0}} {
		if got := waiting(c.most, c.clk); got != c.want {
			t.Errorf("%d by %T: %d, want %d", c.most, c.clk, got, c.want)
		}
	}
}
