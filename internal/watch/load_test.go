package watch

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCapacity_FollowsWhatIsMeasured(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name   string
		before capacity
		seen   reading
		wanted float64
		after  capacity
	}{
		{"in time, much used", 1000, reading{900, 10 * time.Millisecond}, 900, 1100},
		{"in time, little used", 1000, reading{300, 0}, 300, 1000},
		{"in time, but nothing was asked", 1000, reading{}, 900, 1000},
		{"a little late", 1000, reading{900, 100 * time.Millisecond}, 900, 1000},
		{"too late", 1000, reading{900, time.Second}, 1500, 900},
		{"much too late: a fifth at a time", 1000, reading{10, time.Second}, 1500, 800},
		{"not known, in time", capacity(inf), reading{900, 0}, 900, capacity(inf)},
		{"not known, too late", capacity(inf), reading{300, time.Second}, 900, 300},
		{"never nothing", 1, reading{0.1, time.Second}, 900, 1},
	} {
		if got := c.before.after(c.seen, c.wanted); math.Abs(float64(got-c.after)) > 0.001 && got != c.after {
			t.Errorf("%s: %v, want %v", c.name, got, c.after)
		}
	}
}

func TestPace_WaitsLongerUnderLoad(t *testing.T) {
	p := Pace{After: 3 * time.Second, Within: 5 * time.Second}
	for used, want := range map[float64]time.Duration{0: 3 * time.Second, 0.25: 3 * time.Second, 0.5: 4 * time.Second, 0.75: 5 * time.Second, 2: 5 * time.Second} {
		if got := p.after(used); got != want {
			t.Errorf("used %v: %s, want %s", used, got, want)
		}
		if got := (Pace{After: time.Second}).after(used); got != time.Second {
			t.Errorf("used %v: %s of a pace that cannot wait", used, got)
		}
	}
}

// Whatever comes and goes: what was admitted is within what is possible, a refusal has a
// reason, and when all have left nothing is counted.
func TestAdmit_KeepsDemandWithinWhatIsPossible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(Config{Clock: fixed{}, Processors: 0.1, PerSecond: 200})
		live := map[string]bool{} // true: watched
		total := func() (d demand) {
			d = s.load.watched
			for _, e := range s.load.expected {
				d = d.plus(e)
			}
			return d
		}
		for i := range rapid.IntRange(1, 300).Draw(t, "steps") {
			it := Item{ID: fmt.Sprint(i), Group: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group"),
				Pace: Pace{After: time.Duration(rapid.IntRange(1, 5).Draw(t, "after")) * time.Second},
				Cost: time.Duration(rapid.IntRange(0, 2).Draw(t, "cost")) * time.Millisecond}
			switch why := s.Admit(it); {
			case why == Admitted:
				live[it.ID] = false
				if rapid.Bool().Draw(t, "watched") {
					s.Add(it)
					live[it.ID] = true
				}
			default:
				more := total().plus(demandOf(it))
				if more.processors <= groupShare*0.1 && more.questions <= groupShare*200 {
					t.Fatalf("refused because of %s at %+v", why, more)
				}
			}
			if d := total(); d.processors > 0.1+1e-9 || d.questions > 200+1e-9 {
				t.Fatalf("demand %+v", d)
			}
			for id := range live {
				if rapid.IntRange(0, 9).Draw(t, "leaves") == 0 {
					s.Remove(id)
					delete(live, id)
				}
				break
			}
		}
		for id := range live {
			s.Remove(id)
		}
		if d := total(); d != (demand{}) || len(s.load.admitted) > 0 || len(s.load.expected) > 0 || len(s.groups) > 0 {
			t.Fatalf("all have left: demand %+v, %d admitted, %d groups", d, len(s.load.admitted), len(s.groups))
		}
	})
}
