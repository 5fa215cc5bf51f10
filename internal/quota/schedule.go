package quota

import (
	"slices"
	"time"

	"samla/internal/consent"
)

// PlanState is the state of the refresh plan of a lineage.
type PlanState string

// The closed set.
const (
	Active            PlanState = "ACTIVE"
	WaitingForConsent PlanState = "WAITING_FOR_CONSENT" // its consent has ended; a renewal makes it active again
	PausedFailing     PlanState = "PAUSED_FAILING"      // it failed often, and tries once a day
)

// Reason says why a plan does not read at its usual time. It is empty where it does.
type Reason string

// The closed set.
const (
	QuotaUsed          Reason = "QUOTA_USED"          // others have used the reads that are allowed
	CatchingUp         Reason = "CATCHING_UP"         // the server was away at its time
	ReadFailed         Reason = "READ_FAILED"         // the last read failed
	ConsentEnded       Reason = "CONSENT_ENDED"       // the consent was revoked, has expired, or was never authorized
	InstitutionMissing Reason = "INSTITUTION_MISSING" // the institution is not configured on this server any more
	QueuedReadFirst    Reason = "QUEUED_COLLECTION"   // a collection that a client has queued reads first
	readsBeforePausing        = 5                     // failures in a row before a plan is PAUSED_FAILING
	overlap                   = 14 * 24 * time.Hour   // that a read goes back behind the last complete one
	checkConsent              = time.Hour             // between two looks at a consent that has ended
	checkRead                 = 30 * time.Second      // between two looks at a read that goes on
)

// Schedule is the unattended reading of one lineage of consents: its refresh plan, and the
// collection that waits for the next allowed moment. One row of the store, which is a job.
type Schedule struct {
	Lineage  consent.ID
	ClientID string
	UserID   string
	Company  string

	PerDay   int // reads of the plan in a day, as asked for; 0 = there is no plan
	State    PlanState
	Reason   Reason
	Failures int         // in a row
	DueAt    time.Time   // when the plan reads next; zero: there is no plan
	ReadAt   time.Time   // when the last read began, of the plan or queued
	Recent   []time.Time // when the plan's own reads of the last Window began, oldest first
	// CompleteAt is when the last complete read began: the next one asks for what is newer.
	CompleteAt time.Time
	Reading    string // the collection that the plan has started and whose outcome is not known yet

	Queued   string    // the collection that waits for the next allowed moment (WHEN_ALLOWED)
	QueuedAt time.Time // when it may begin, as known

	Rev    int64     // row version: grows with every change; the store compares it
	WakeAt time.Time // when the job is due; zero = never
}

// Idle reports whether nothing is planned and nothing waits, so that the row is not needed.
func (s Schedule) Idle() bool { return s.PerDay == 0 && s.Queued == "" }

// Plan sets how often the plan reads. A plan that is new, or that reads otherwise than
// before, begins with its next time of the day.
func (s Schedule) Plan(perDay int, now time.Time) Schedule {
	if s.PerDay == perDay {
		return s
	}
	if s.PerDay == 0 {
		s.State, s.Reason, s.Failures = Active, "", 0
	}
	s.PerDay = perDay
	if s.State != WaitingForConsent && s.Failures == 0 {
		s.DueAt = s.next(now)
	}
	return s.wake()
}

// Unplan removes the plan. A collection that is queued stays.
func (s Schedule) Unplan() Schedule {
	s.PerDay, s.State, s.Reason, s.Failures, s.DueAt, s.Recent, s.Reading = 0, "", "", 0, time.Time{}, nil, ""
	return s.wake()
}

// Queue stores a collection that waits until at, the next allowed moment.
func (s Schedule) Queue(collectionID string, at time.Time) Schedule {
	s.Queued, s.QueuedAt = collectionID, at
	return s.wake()
}

// Unqueue says that the queued collection does not wait any more: it has begun, or ended.
func (s Schedule) Unqueue() Schedule {
	s.Queued, s.QueuedAt = "", time.Time{}
	return s.wake()
}

// next returns the next usual time of the plan. Half an interval lies between two reads at
// least, so that one that was late takes the place of the next.
func (s Schedule) next(now time.Time) time.Time {
	from := now
	if half := s.ReadAt.Add(interval(s.PerDay) / 2); !s.ReadAt.IsZero() && half.After(from) {
		from = half
	}
	return slot(string(s.Lineage), s.PerDay, from)
}

// Verdict is what to do with the plan at a moment.
type Verdict int

// The verdicts.
const (
	Wait   Verdict = iota // until Schedule.DueAt, which may have changed
	ReadIt                // start a read
)

// Due decides whether the plan reads at the moment now, after these reads of the lineage
// by anybody. It returns the schedule with its next time and the reason, if the plan waits.
// The plan itself never begins more than PerDay reads in Window, whatever the rule allows:
// what is left stays for clients.
func (s Schedule) Due(now time.Time, state State) (Schedule, Verdict) {
	if s.PerDay == 0 || s.Reading != "" {
		return s.wake(), Wait
	}
	if s.DueAt.After(now) {
		return s.wake(), Wait
	}
	if now.Sub(s.DueAt) > late {
		// The server was away. Every plan that was missed comes here at the same time.
		within := min(catchUpWithin, interval(s.PerDay))
		return s.delay(now.Add(time.Second+part(within, string(s.Lineage), now.UTC().Format(time.DateOnly))), CatchingUp), Wait
	}
	if own := s.ownLimit(now, state.Limit); own.After(now) {
		return s.delay(own, s.Reason), Wait
	}
	if !state.Allowed() {
		return s.delay(state.NextAllowedAt, QuotaUsed), Wait
	}
	return s, ReadIt
}

// QueuedDue decides whether the queued collection begins to read at the moment now, as Due
// does for the plan. It comes before the plan.
func (s Schedule) QueuedDue(now time.Time, state State) (Schedule, Verdict) {
	switch {
	case s.Queued == "" || s.QueuedAt.After(now):
		return s, Wait
	case now.Sub(s.QueuedAt) > late:
		return s.Queue(s.Queued, now.Add(time.Second+part(catchUpQueued, string(s.Lineage)))), Wait
	case !state.Allowed():
		return s.Queue(s.Queued, state.NextAllowedAt), Wait
	}
	return s, ReadIt
}

// delay moves the plan's next time to at.
func (s Schedule) delay(at time.Time, why Reason) Schedule {
	s.DueAt = at
	if s.Failures == 0 || why != QuotaUsed {
		s.Reason = why
	}
	return s.wake()
}

// ownLimit returns when the plan may begin its next read by its own limit; zero: now.
func (s Schedule) ownLimit(now time.Time, limit int) time.Time {
	most := max(1, min(s.PerDay, limit))
	recent := within(s.Recent, now)
	if len(recent) < most {
		return time.Time{}
	}
	return recent[len(recent)-most].Add(Window)
}

// within returns the times that count at now.
func within(times []time.Time, now time.Time) []time.Time {
	i, _ := slices.BinarySearchFunc(times, now.Add(-Window), func(at, limit time.Time) int {
		if at.After(limit) {
			return 1
		}
		return -1
	})
	return times[i:]
}

// Started says that the plan has begun a read.
func (s Schedule) Started(collectionID string, now time.Time) Schedule {
	s.Reading, s.ReadAt = collectionID, now
	s.Recent = append(slices.Clone(within(s.Recent, now)), now)
	s.DueAt = s.next(now.Add(time.Second))
	return s.wake()
}

// Begun says that a queued collection has begun to read. It takes the place of a read of
// the plan that would follow soon.
func (s Schedule) Begun(now time.Time) Schedule {
	s.ReadAt = now
	if s.PerDay > 0 && s.State == Active && s.Failures == 0 {
		s.DueAt, s.Reason = s.next(now.Add(time.Second)), ""
	}
	return s.Unqueue()
}

// Outcome is how a read has ended.
type Outcome int

// The outcomes.
const (
	Failed  Outcome = iota
	Partial         // some data is missing: the next read asks for the same days again
	Complete
)

// Ended says how the read of the plan, which began at ReadAt, has ended.
func (s Schedule) Ended(o Outcome, began, now time.Time) Schedule {
	s.Reading = ""
	if s.PerDay == 0 {
		return s.wake()
	}
	if o == Complete && began.After(s.CompleteAt) {
		s.CompleteAt = began
	}
	if o != Failed {
		s.State, s.Reason, s.Failures = Active, "", 0
		s.DueAt = s.next(now)
		return s.wake()
	}
	s.Failures++
	s.Reason = ReadFailed
	s.DueAt = now.Add(retryAfter(string(s.Lineage), s.Failures))
	if s.Failures >= readsBeforePausing {
		s.State = PausedFailing
		s.DueAt = now.Add(retryAfter(string(s.Lineage), 1<<10)) // once a day
	}
	return s.wake()
}

// Lost says that the plan cannot read: its consent has ended, or its institution is not
// configured. It is looked at again every hour, and when a consent of the lineage is
// authorized.
func (s Schedule) Lost(why Reason, now time.Time) Schedule {
	s.State, s.Reason, s.Reading = WaitingForConsent, why, ""
	s.DueAt = now.Add(checkConsent - part(checkConsent/10, string(s.Lineage)))
	return s.wake()
}

// Found says that the plan can read again after Lost. It reads at its next usual time.
func (s Schedule) Found(now time.Time) Schedule {
	if s.State != WaitingForConsent {
		return s
	}
	s.State, s.Reason, s.Failures = Active, "", 0
	s.DueAt = s.next(now)
	return s.wake()
}

// From returns the first day that a read of the plan asks transactions for: some days
// before the last complete read, because rows are booked late, but not more days back than
// the institution gives without the person. gap reports that days are missing that no read
// without the person can get.
func (s Schedule) From(now time.Time, days int) (from time.Time, gap bool) {
	furthest := now.UTC().AddDate(0, 0, -days)
	if s.CompleteAt.IsZero() {
		return furthest, false
	}
	from = s.CompleteAt.UTC().Add(-overlap)
	if from.Before(furthest) {
		return furthest, s.CompleteAt.Before(furthest)
	}
	return from, false
}

// wake returns the schedule with the time at which its job is due.
func (s Schedule) wake() Schedule {
	s.WakeAt = time.Time{}
	for _, at := range []time.Time{s.DueAt, s.QueuedAt} {
		if !at.IsZero() && (s.WakeAt.IsZero() || at.Before(s.WakeAt)) {
			s.WakeAt = at
		}
	}
	return s
}

// Look returns the schedule due again soon, while its read goes on.
func (s Schedule) Look(now time.Time) Schedule {
	s = s.wake()
	if s.Reading == "" {
		return s
	}
	if s.WakeAt = now.Add(checkRead); s.QueuedAt.After(now) && s.QueuedAt.Before(s.WakeAt) {
		s.WakeAt = s.QueuedAt
	}
	return s
}
