package reads_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/sandbox/reads"
)

func TestLog_GivesAsManyReadsAsTheLimitInADay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, limit := reads.Log{}, rapid.IntRange(1, 4).Draw(t, "limit")
		now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
		var taken []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "tries") {
			now = now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "minutes")) * time.Minute)
			counted := 0
			for _, at := range taken {
				if now.Sub(at) < reads.Within {
					counted++
				}
			}
			wait, left := l.Left("a", limit, now)
			if left != (counted < limit) {
				t.Fatalf("%d of %d: %t", counted, limit, left)
			}
			if left {
				l.Add("a", now)
				taken = append(taken, now)
				continue
			}
			if _, early := l.Left("a", limit, now.Add(wait-time.Nanosecond)); early || wait <= 0 {
				t.Fatalf("one is left before %s are over", wait)
			}
			if rapid.Bool().Draw(t, "waits") {
				now = now.Add(wait)
				if _, left = l.Left("a", limit, now); !left {
					t.Fatalf("none is left after %s", wait)
				}
			}
		}
		if _, left := l.Left("another", limit, now); !left {
			t.Fatal("the reads of another are counted")
		}
	})
}
