package consent_test

import (
	"testing"
	"time"

	"samla/internal/consent"
)

// A clock that is a year ahead stores times, and is set back. Nobody waits a year for them.
func TestTokens_AreNotHeldByAClockThatWasSetBack(t *testing.T) {
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		after time.Duration // of now behind the mark
		want  bool
	}{
		"at once":                   {0, true},
		"just before the end":       {consent.RefreshLease - time.Second, true},
		"at the end":                {consent.RefreshLease, false},
		"by a clock that is ahead":  {-time.Minute, true},
		"by a clock that was ahead": {-time.Hour, false},
	} {
		mark := &consent.Refreshing{At: now}
		if got := mark.Held(now.Add(test.after)); got != test.want {
			t.Errorf("%s: held is %t", name, got)
		}
		if got := mark.Within(now.Add(test.after), 24*time.Hour); got != (test.after >= -time.Minute) {
			t.Errorf("%s: within a day is %t", name, got)
		}
	}
	var none *consent.Refreshing
	if none.Held(now) || none.Within(now, time.Hour) {
		t.Error("no mark is held")
	}
	ahead := &consent.Denial{At: now.Add(365 * 24 * time.Hour), Times: 3}
	if d, certain := ahead.Denied(now, false); certain || !d.At.Equal(now) || d.Times != 1 {
		t.Errorf("%+v is certain: %t", d, certain)
	}
	if ahead.Lately(now) != nil {
		t.Error("a denial of the future counts")
	}
}
