package uuid7_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/uuid7"
)

func TestGenerator_ReturnsIncreasingVersion7IDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "ms")).Add(
			time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns")))
		clk := clock.NewManual(start)
		g := uuid7.NewGenerator(clk, nil)
		last := ""
		for range rapid.IntRange(1, 50).Draw(t, "ids") {
			clk.Advance(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 999, 1e6, 1e9}).Draw(t, "step")))
			text := g.New()
			id, err := uuid.Parse(text)
			if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Fatalf("%s: %v", text, err)
			}
			if text <= last {
				t.Fatalf("%s after %s", text, last)
			}
			last = text
			sec, nsec := id.Time().UnixTime()
			if d := time.Unix(sec, nsec).Sub(clk.Now().Truncate(time.Millisecond)); d < 0 || d > time.Millisecond {
				t.Fatalf("%s has a time that is %v off", text, d)
			}
		}
	})
}
