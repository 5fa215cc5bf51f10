package company_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/company"
)

var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// record records one outcome for each of the subjects from..to-1.
func record(h *company.Health, from, to int, ok bool, now time.Time) {
	what := company.FailedThere
	if ok {
		what = company.Served
	}
	for i := from; i < to; i++ {
		h.Record("se-a", fmt.Sprint("user-", i), what, now)
	}
}

func TestHealth_CountsSubjectsOfTheWindow(t *testing.T) {
	var h company.Health
	expect := func(now time.Time, want company.Availability) {
		t.Helper()
		if got := h.Availability("se-a", now); got != want || got.Functional() != (want != company.Unavailable) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	expect(morning, company.Available) // never called
	record(&h, 0, 4, false, morning)
	expect(morning, company.Available) // too few subjects
	record(&h, 4, 5, false, morning)
	expect(morning, company.Unavailable) // 5 of 5
	record(&h, 5, 7, true, morning.Add(time.Minute))
	expect(morning.Add(time.Minute), company.Degraded) // 5 of 7
	record(&h, 0, 4, true, morning.Add(2*time.Minute))
	expect(morning.Add(2*time.Minute), company.Available) // 1 of 7 alone
	record(&h, 6, 7, false, morning.Add(2*time.Minute))
	expect(morning.Add(2*time.Minute), company.Degraded)                  // 2 of 7
	expect(morning.Add(5*time.Minute-1), company.Degraded)                // still 2 of 7
	expect(morning.Add(5*time.Minute), company.Available)                 // 1 of 6: the failure of user-4 is too old
	expect(morning.Add(7*time.Minute), company.Available)                 // all too old
	if got := h.Availability("se-b", morning); got != company.Available { // another company
		t.Errorf("se-b is %s", got)
	}
}

// A company is down since it became so, and after it was well again, anew.
func TestHealth_SaysSinceWhen(t *testing.T) {
	var h company.Health
	since := func(now, want time.Time) {
		t.Helper()
		if got := h.Condition("se-a", now).Since; !got.Equal(want) {
			t.Errorf("since %v, want %v", got, want)
		}
	}
	record(&h, 0, 5, false, morning)
	record(&h, 5, 9, false, morning.Add(time.Minute))
	since(morning.Add(2*time.Minute), morning)
	record(&h, 0, 40, true, morning.Add(2*time.Minute))
	since(morning.Add(2*time.Minute), time.Time{})
	record(&h, 0, 40, false, morning.Add(3*time.Minute))
	if got := h.Condition("se-a", morning.Add(4*time.Minute)); got.Availability != company.Unavailable || !got.Since.Equal(morning.Add(3*time.Minute)) {
		t.Errorf("%+v", got)
	}
}

// If there are more subjects than are kept, the latest count.
func TestHealth_LatestSubjectsCountWhenTooMany(t *testing.T) {
	var h company.Health
	record(&h, 0, 5000, false, morning)
	record(&h, 5000, 10000, true, morning.Add(time.Second))
	if got := h.Availability("se-a", morning.Add(time.Second)); got != company.Available {
		t.Errorf("the latest 5000 subjects succeeded, but it is %s", got)
	}
}

// The availability follows only from the latest outcomes of the subjects: neither
// earlier failures of a subject nor the order of the subjects change it. One subject
// alone never makes a company unavailable.
func TestHealth_EachSubjectCountsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type call struct {
			subject int
			ok      bool
		}
		calls := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call {
			return call{rapid.IntRange(0, 12).Draw(t, "subject"), rapid.Bool().Draw(t, "ok")}
		}), 0, 60).Draw(t, "calls")
		var repeated, once, alone company.Health
		latest := map[int]bool{}
		for _, c := range calls {
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				record(&repeated, c.subject, c.subject+1, c.ok, morning)
			}
			latest[c.subject] = c.ok
			record(&alone, 0, 1, false, morning)
			if c.subject != 0 {
				record(&alone, c.subject, c.subject+1, true, morning)
			}
		}
		failed := 0
		subjects := make([]int, 0, len(latest))
		for s, ok := range latest {
			subjects = append(subjects, s)
			if !ok {
				failed++
			}
		}
		for _, s := range rapid.Permutation(slices.Sorted(slices.Values(subjects))).Draw(t, "order") {
			record(&once, s, s+1, latest[s], morning)
		}
		want := company.Available
		if n := len(latest); n >= 5 && failed >= 2 && failed*5 >= n {
			want = company.Degraded
			if failed*5 >= n*4 {
				want = company.Unavailable
			}
		}
		if a, b := repeated.Availability("se-a", morning), once.Availability("se-a", morning); a != want || b != want {
			t.Errorf("%d of %d failed: %s with repeats, %s without, want %s", failed, len(latest), a, b, want)
		}
		if got := alone.Availability("se-a", morning); got != company.Available {
			t.Errorf("one subject alone: %s", got)
		}
	})
}

// Slow answers and our own faults count too, and are told apart.
func TestHealth_SaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		outcomes []company.Outcome
		want     company.Condition
	}{
		"four persons":   {[]company.Outcome{company.FailedThere, company.FailedThere, company.FailedThere, company.FailedThere}, company.Condition{Availability: company.Available}},
		"all slow":       {[]company.Outcome{company.Slow, company.Slow, company.Slow, company.Slow, company.Slow}, company.Condition{Availability: company.Degraded, Measured: true, Cause: company.Slow}},
		"our fault":      {[]company.Outcome{company.FailedHere, company.FailedHere, company.FailedHere, company.FailedHere, company.FailedHere}, company.Condition{Availability: company.Unavailable, Measured: true, Cause: company.FailedHere}},
		"both, theirs":   {[]company.Outcome{company.FailedThere, company.FailedThere, company.FailedThere, company.FailedHere, company.Served}, company.Condition{Availability: company.Unavailable, Measured: true, Cause: company.FailedThere}},
		"some, ours":     {[]company.Outcome{company.FailedThere, company.FailedHere, company.FailedHere, company.Served, company.Served}, company.Condition{Availability: company.Degraded, Measured: true, Cause: company.FailedHere}},
		"one and a slow": {[]company.Outcome{company.FailedThere, company.Slow, company.Slow, company.Served, company.Served}, company.Condition{Availability: company.Degraded, Measured: true, Cause: company.Slow}},
		"one slow":       {[]company.Outcome{company.Slow, company.Served, company.Served, company.Served, company.Served}, company.Condition{Availability: company.Available, Measured: true}},
	} {
		var h company.Health
		for i, o := range c.outcomes {
			h.Record("se-a", fmt.Sprint(i), o, morning)
		}
		got := h.Condition("se-a", morning)
		if got.Since = (time.Time{}); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
