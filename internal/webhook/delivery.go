package webhook

import "time"

// schedule is how long after the attempt before each attempt is made, in the middle
// (docs/reference/api.md 7.2).
var schedule = [...]time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}

// MaxAttempts is how many attempts an event gets, and as many with each replay.
const MaxAttempts = len(schedule)

// LongestHold is how long the later events of a resource wait for one that is retried.
const LongestHold = 10 * time.Minute

// jitter is the part of a wait that chance adds at most.
const jitter = 0.2

// Lane says which deliveries of an endpoint go first.
type Lane int

// The lanes: Live goes before Backlog, which was kept during a pause, and that before Replay.
const (
	Live Lane = iota
	Backlog
	Replayed
)

// Lanes lists them, the first to deliver first.
func Lanes() []Lane { return []Lane{Live, Backlog, Replayed} }

// Progress is how far a delivery has come.
type Progress string

// The progresses.
const (
	Pending   Progress = "PENDING"
	Delivered Progress = "DELIVERED"
	Dead      Progress = "DEAD" // all attempts failed
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	EndpointID, EventID string
	Seq                 int64  // position of the event
	Resource            string // whose events keep their order
	Lane                Lane
	Progress            Progress
	Attempts            int       // made since it was added, or replayed
	Total               int       // made ever; the number of an attempt in the log
	DueAt               time.Time // of the next attempt, while Pending
	HoldUntil           time.Time // until when later events of the resource wait; zero = it has not failed
	At                  time.Time // of the event
	Body                []byte    // of the event, as it is sent
}

// After returns the delivery after an attempt that ended at the time now. random is in
// [0, 1).
func (d Delivery) After(o Outcome, now time.Time, random float64) Delivery {
	d.Attempts++
	d.Total++
	switch {
	case o.Success():
		d.Progress, d.DueAt, d.HoldUntil = Delivered, time.Time{}, time.Time{}
		return d
	case o.Status == statusGone: // the endpoint is paused, and the event kept
		d.Attempts--
		d.DueAt = now
		return d
	case d.Attempts >= MaxAttempts:
		d.Progress, d.DueAt, d.HoldUntil = Dead, time.Time{}, time.Time{}
		return d
	}
	d.DueAt = now.Add(max(wait(d.Attempts, random), o.RetryAfter))
	if d.HoldUntil.IsZero() {
		d.HoldUntil = now.Add(LongestHold)
	}
	return d
}

// wait returns the time between attempt n and the next one, n from 1.
func wait(n int, random float64) time.Duration {
	w := schedule[n]
	return w + time.Duration(jitter*random*float64(w))
}

// Replay returns the delivery to be made again, with a full number of attempts. One that
// is pending becomes due.
func (d Delivery) Replay(now time.Time) Delivery {
	if d.Progress == Pending {
		d.DueAt = now
		return d
	}
	d.Progress, d.Lane, d.Attempts, d.DueAt, d.HoldUntil = Pending, Replayed, 0, now, time.Time{}
	return d
}

// Blocks reports whether d keeps the later delivery o of the same endpoint from being
// made at the time now. A replay is history: it waits for replays only, and nothing else
// waits for it.
func (d Delivery) Blocks(o Delivery, now time.Time) bool {
	return d.Progress == Pending && d.Resource == o.Resource && d.Seq < o.Seq &&
		(d.Lane == Replayed) == (o.Lane == Replayed) &&
		(d.HoldUntil.IsZero() || now.Before(d.HoldUntil))
}

// Attempt is a line of the delivery log.
type Attempt struct {
	ID         string // in the order of time
	EndpointID string
	EventID    string
	Number     int
	At         time.Time // when it began
	Outcome
	NextAt time.Time // of the next attempt; zero = none is planned
}
