package authorize

import (
	"strconv"
	"testing"
	"time"

	"samla/internal/consent"
)

func TestDenials_Outage(t *testing.T) {
	const bank = "se-testbank"
	start := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	type answers struct {
		after  time.Duration // since the answers before
		denied bool
		times  int  // of as many consents; negative: of one consent
		outage bool // after the last of them
	}
	for name, steps := range map[string][]answers{
		"a few refusals are none":           {{0, true, 4, false}},
		"one consent counts once":           {{0, true, -9, false}, {0, true, 4, true}},
		"many are":                          {{0, true, 5, true}},
		"not beside as many tokens":         {{0, false, 5, false}, {0, true, 5, false}, {0, true, 1, true}},
		"not in the course of a day":        {{0, true, 3, false}, {denialWindow + time.Second, true, 4, false}},
		"tokens of long ago count for none": {{0, false, 9, false}, {denialWindow + time.Second, true, 5, true}},
		"a token ends it":                   {{0, true, 9, true}, {time.Minute, false, 1, false}, {denialWindow + time.Second, true, 4, false}},
		"it lasts a day":                    {{0, true, 9, true}, {denialPatience, true, 1, true}},
		"after a day the bank is believed":  {{0, true, 9, true}, {denialPatience + time.Second, true, 9, false}},
		"until it gives a token again": {{0, true, 9, true}, {denialPatience + time.Second, true, 9, false}, {time.Hour, false, 1, false},
			{time.Hour, true, 5, true}},
	} {
		d, now, others := newDenials(), start, 0
		for i, s := range steps {
			now = now.Add(s.after)
			outage := false
			for range max(s.times, -s.times) {
				of := consent.ID("one")
				if s.times > 0 {
					others++
					of = consent.ID(strconv.Itoa(others))
				}
				outage, _ = d.record(bank, of, now, s.denied)
			}
			if outage != s.outage {
				t.Errorf("%s: an outage after step %d: %t", name, i, outage)
			}
			if paused := d.check(bank, now) != nil; paused != s.outage {
				t.Errorf("%s: not asked after step %d: %t", name, i, paused)
			}
		}
		if d.check(bank, now.Add(denialPause)) != nil || d.check("se-otherbank", now) != nil {
			t.Errorf("%s: the pause has no end, or is another bank's too", name)
		}
	}
}

func TestDenials_RemembersSoMany(t *testing.T) {
	d, now := newDenials(), time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	for i := range 2 * mostCounted {
		_, _ = d.record("se-testbank", consent.ID(strconv.Itoa(i)), now, true)
	}
	if n := len(d.banks["se-testbank"].denied); n != mostCounted {
		t.Errorf("%d refusals in memory", n)
	}
}
