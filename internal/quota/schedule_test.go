package quota_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/quota"
)

func at(hours float64) time.Time { return start.Add(time.Duration(hours * float64(time.Hour))) }

func TestRule_CountsAsTheBankDoes(t *testing.T) {
	consent, endpoint := quota.Rule{Per: quota.PerConsent, Limit: 4}, quota.Rule{Per: quota.PerEndpoint, Limit: 4}
	for name, tc := range map[string]struct {
		rule  quota.Rule
		reads []quota.Read
		left  int
		next  float64
	}{
		"nothing read":            {consent, nil, 4, 100},
		"one":                     {consent, []quota.Read{{At: at(99)}}, 3, 100},
		"exactly a day ago":       {consent, []quota.Read{{At: at(76)}}, 4, 100},
		"almost a day ago":        {consent, []quota.Read{{At: at(76.5)}}, 3, 100},
		"four":                    {consent, []quota.Read{{At: at(90)}, {At: at(80)}, {At: at(85)}, {At: at(99)}}, 0, 104},
		"more than allowed":       {quota.Rule{Per: quota.PerConsent, Limit: 2}, []quota.Read{{At: at(80)}, {At: at(85)}, {At: at(90)}}, 0, 109},
		"another counter":         {endpoint, []quota.Read{{At: at(90), Counter: "a", Calls: 3}, {At: at(90), Counter: "b", Calls: 2}}, 1, 100},
		"pages":                   {endpoint, []quota.Read{{At: at(80), Counter: "a", Calls: 3}, {At: at(90), Counter: "a"}}, 0, 104},
		"the slowest counter":     {endpoint, []quota.Read{{At: at(80), Counter: "a", Calls: 4}, {At: at(95), Counter: "b", Calls: 4}}, 0, 119},
		"more pages than allowed": {endpoint, []quota.Read{{At: at(80), Counter: "a", Calls: 9}}, 0, 104},
	} {
		s := tc.rule.At(at(100), tc.reads)
		if s.Left != tc.left || !s.NextAllowedAt.Equal(at(tc.next)) || s.Allowed() != (tc.left > 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// At the moment that a rule names, there is room, and a second before there is none.
func TestRule_NamesTheFirstMomentWithRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := quota.Rule{Per: quota.PerEndpoint, Limit: rapid.IntRange(1, 4).Draw(t, "limit")}
		var reads []quota.Read
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			reads = append(reads, quota.Read{At: at(float64(rapid.IntRange(0, 99).Draw(t, "at"))),
				Counter: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "of"), Calls: rapid.IntRange(0, 5).Draw(t, "calls")})
		}
		s := rule.At(at(100), reads)
		if !rule.At(s.NextAllowedAt, reads).Allowed() || s.NextAllowedAt.Before(at(100)) {
			t.Fatalf("no room at %s: %v", s.NextAllowedAt, reads)
		}
		if before := s.NextAllowedAt.Add(-time.Second); before.After(at(100)) && rule.At(before, reads).Allowed() {
			t.Fatalf("room before %s: %v", s.NextAllowedAt, reads)
		}
		for _, r := range reads {
			if s.Left > rule.Room(at(100), r.Counter, reads) {
				t.Fatalf("more left than counter %s has", r.Counter)
			}
		}
	})
}

func plan(perDay int) quota.Schedule {
	return quota.Schedule{Lineage: "lineage", ClientID: "c"}.Plan(perDay, start)
}

var free = quota.State{Rule: quota.Rule{Per: quota.PerConsent, Limit: 4}, Left: 4}

func TestSchedule_ReadsAtTheSameMinutesEachDay(t *testing.T) {
	for perDay := 1; perDay <= quota.MaxPerDay; perDay++ {
		s := plan(perDay)
		first := s.DueAt
		for n := range 10 {
			want := first.Add(time.Duration(n) * quota.Window / time.Duration(perDay))
			if !s.DueAt.Equal(want) || !s.WakeAt.Equal(want) || s.State != quota.Active {
				t.Fatalf("%d a day, read %d: %+v, want %s", perDay, n, s, want)
			}
			due, verdict := s.Due(s.DueAt.Add(time.Second), free)
			if verdict != quota.ReadIt {
				t.Fatalf("%d a day, read %d does not begin: %+v", perDay, n, due)
			}
			s = due.Started("c", s.DueAt).Ended(quota.Complete, s.DueAt, s.DueAt.Add(time.Minute))
		}
	}
}

func TestSchedule_BacksOffAndPauses(t *testing.T) {
	s, now := plan(4), start
	for n := 1; n <= 8; n++ {
		now = s.DueAt
		s = s.Started("c", now).Ended(quota.Failed, now, now)
		wait, want := s.DueAt.Sub(now), min(time.Hour<<(n-1), day)
		if n >= 5 {
			want = day
		}
		if wait < want*3/4 || wait > want*5/4 || s.Reason != quota.ReadFailed || (s.State == quota.PausedFailing) != (n >= 5) {
			t.Errorf("failure %d: %s in %s %s, want about %s", n, s.State, wait, s.Reason, want)
		}
	}
	s = s.Started("c", s.DueAt).Ended(quota.Partial, s.DueAt, s.DueAt)
	if s.State != quota.Active || s.Reason != "" || s.Failures != 0 || s.DueAt.Sub(now) > 3*day {
		t.Errorf("after a read: %+v", s)
	}
}

func TestSchedule_WaitsForTheQuota(t *testing.T) {
	s := plan(2)
	now := s.DueAt
	s, verdict := s.Due(now, quota.State{Rule: free.Rule, NextAllowedAt: now.Add(3 * time.Hour)})
	if verdict != quota.Wait || s.Reason != quota.QuotaUsed || !s.DueAt.Equal(now.Add(3*time.Hour)) || s.State != quota.Active {
		t.Errorf("%v %+v", verdict, s)
	}
}

// A plan of two reads a day leaves two of four to clients, even when its reads fail.
func TestSchedule_KeepsToItsOwnLimit(t *testing.T) {
	s := plan(1)
	now := s.DueAt
	s = s.Started("c", now).Ended(quota.Failed, now, now)
	again, verdict := s.Due(s.DueAt, free)
	if verdict != quota.Wait || !again.DueAt.Equal(now.Add(quota.Window)) {
		t.Errorf("%v %+v", verdict, again)
	}
}

func TestSchedule_CatchesUpSpread(t *testing.T) {
	s := plan(1)
	back := s.DueAt.Add(50 * time.Hour)
	s, verdict := s.Due(back, free)
	if verdict != quota.Wait || s.Reason != quota.CatchingUp || !s.DueAt.After(back) || s.DueAt.After(back.Add(6*time.Hour+time.Second)) {
		t.Errorf("%v %+v", verdict, s)
	}
	if _, verdict = s.Due(s.DueAt, free); verdict != quota.ReadIt {
		t.Error("it does not read then")
	}
}

func TestSchedule_QueuedCollectionsReadWhenAllowed(t *testing.T) {
	full := quota.State{Rule: free.Rule, NextAllowedAt: at(9)}
	for name, tc := range map[string]struct {
		s       quota.Schedule
		now     float64
		state   quota.State
		verdict quota.Verdict
		from    float64
		until   float64
	}{
		"early":           {quota.Schedule{}.Queue("q", at(5)), 4, free, quota.Wait, 5, 5},
		"in time":         {quota.Schedule{}.Queue("q", at(5)), 5, free, quota.ReadIt, 5, 5},
		"used up":         {quota.Schedule{}.Queue("q", at(5)), 5, full, quota.Wait, 9, 9},
		"after an outage": {quota.Schedule{}.Queue("q", at(5)), 8, free, quota.Wait, 8, 8.51},
	} {
		s, verdict := tc.s.QueuedDue(at(tc.now), tc.state)
		if verdict != tc.verdict || s.WakeAt.Before(at(tc.from)) || s.WakeAt.After(at(tc.until)) {
			t.Errorf("%s: %v %+v", name, verdict, s)
		}
	}
	if s, verdict := plan(1).QueuedDue(at(100), free); verdict != quota.Wait || s.Queued != "" {
		t.Errorf("nothing is queued: %v", verdict)
	}
}

func TestSchedule_WaitsForAConsentAndComesBack(t *testing.T) {
	s := plan(1).Lost(quota.ConsentEnded, start)
	if s.State != quota.WaitingForConsent || s.WakeAt.IsZero() || s.WakeAt.After(start.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	s = s.Found(start.Add(time.Hour))
	if s.State != quota.Active || s.Reason != "" || s.DueAt.Before(start.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
}

func TestSchedule_FillsGaps(t *testing.T) {
	s := plan(1)
	if from, gap := s.From(at(0), 89); gap || !from.Equal(at(-89*24)) {
		t.Errorf("at first from %s, %v", from, gap)
	}
	s = s.Started("c", at(0)).Ended(quota.Complete, at(0), at(1))
	s = s.Started("d", at(24)).Ended(quota.Partial, at(24), at(25)) // leaves what is missing to the next
	if from, gap := s.From(at(48), 89); gap || !from.Equal(at(-14*24)) {
		t.Errorf("from %s, %v", from, gap)
	}
	if from, gap := s.From(at(80*24), 89); gap || !from.Equal(at(-9*24)) {
		t.Errorf("after 80 days from %s, %v", from, gap)
	}
	if from, gap := s.From(at(100*24), 89); !gap || !from.Equal(at(11*24)) {
		t.Errorf("after 100 days from %s, %v", from, gap)
	}
}

func TestSchedule_QueueAndPlanShareARow(t *testing.T) {
	s := quota.Schedule{Lineage: "l"}.Queue("q", at(5))
	if s.Idle() || !s.WakeAt.Equal(at(5)) {
		t.Errorf("%+v", s)
	}
	s = s.Plan(1, start)
	due := s.DueAt
	if s = s.Unplan(); s.Idle() || !s.WakeAt.Equal(at(5)) {
		t.Errorf("without the plan %+v", s)
	}
	s = s.Plan(1, start).Queue("q", due.Add(-time.Hour)).Begun(due.Add(-time.Hour))
	if s.Queued != "" || !s.DueAt.Equal(due.Add(day)) {
		t.Errorf("the read that was queued does not take the place of the plan's: %+v", s)
	}
	if s = s.Unplan(); !s.Idle() || !s.WakeAt.IsZero() {
		t.Errorf("idle %+v", s)
	}
}
