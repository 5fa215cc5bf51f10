package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Queue names a table whose rows are jobs. Its value is the name of the table;
// String returns the name for people, which differs for the outbox and webhooks.
type Queue string

// The queues. The table of the outbox was created under an earlier name.
const (
	Consents    Queue = "consents"
	Collections Queue = "collections"
	Outbox      Queue = "duties"
	Dialogues   Queue = "dialogues"
	Webhooks    Queue = "webhook_endpoints"
	Schedules   Queue = "schedules"
)

// Queues lists all queues.
func Queues() []Queue { return []Queue{Consents, Collections, Outbox, Dialogues, Webhooks, Schedules} }

// ParseQueue returns the queue whose String is name.
func ParseQueue(name string) (Queue, error) {
	all := Queues()
	i := slices.IndexFunc(all, func(q Queue) bool { return q.String() == name })
	if i < 0 {
		return "", fmt.Errorf("unknown queue %q: must be one of %q", name, all)
	}
	return all[i], nil
}

// String returns the name in log lines and commands.
func (q Queue) String() string {
	switch q {
	case Outbox:
		return "outbox"
	case Webhooks:
		return "webhooks"
	}
	return string(q)
}

// Job is a row that was claimed.
type Job struct {
	ID      string
	Company string // of the row; may be empty in the outbox
	// Attempts counts the claims of the row since it was last written, this one
	// included. A handler that fails or dies does not write its row.
	Attempts  int
	LeaseEnds time.Time
}

// Dropped is the number of attempts of a row that somebody has dropped. It is more than any
// handler has.
const Dropped = 1 << 20

// ClaimLimit limits the rows of one claim.
type ClaimLimit struct {
	Rows    int            // of all companies together
	Company map[string]int // of these companies
	Other   int            // of each other company; 0 = no limit
	Overdue *Overdue       // nil = rows of any age
}

// Overdue restricts a claim to rows whose flow should have ended, or whose handler is
// done at once. The first are consents that are INITIATED, collections, and logins by
// dialogue whose data is being read; the others are logins that have not come to that.
type Overdue struct {
	Consents   time.Time // created by then
	Attended   time.Time // collections with the person present, created by then; logins, COLLECTING since then or longer
	Unattended time.Time // other collections, created by then
}

// Of returns the limit of a company.
func (l ClaimLimit) Of(company string) int {
	if n, named := l.Company[company]; named {
		return n
	}
	if l.Other == 0 {
		return l.Rows
	}
	return l.Other
}

// Full returns the companies without room, sorted.
func (l ClaimLimit) Full() []string {
	full := []string{}
	for company, n := range l.Company {
		if n <= 0 {
			full = append(full, company)
		}
	}
	slices.Sort(full)
	return full
}

// Lease is the lease of a node on a row. Until is exactly as stored.
type Lease struct {
	ID    string
	Until time.Time
}

// ParkedJob is a row that is no longer claimed, because its handler failed too
// often.
type ParkedJob struct {
	ID       string
	Attempts int
	ParkedAt time.Time
	Reason   string // the last error; no personal data
}

// QueueFigures is how much of a queue waits. Counts stop at MostCounted.
type QueueFigures struct {
	Due       int           // rows that are due and that no worker has
	OldestDue time.Duration // how long the first of them has been due
	Parked    int
}

// MostCounted bounds what counting costs.
const MostCounted = 100_000

// Jobs hands rows that have something to do to workers. The row itself is the job:
// its WakeAt is the time when it is due. None of these methods changes a row's Rev.
// Writing a row with Tx.Put… resets its attempts and unparks it.
type Jobs interface {
	// Claim takes rows of the queue that are due at the time now, longest due first,
	// within the limit (only overdue ones if it has Overdue), sets their WakeAt to now+lease and returns them. It may return
	// fewer rows than the limit allows, but none only if no such row is due. No row is
	// handed to two callers within the lease. The rows of a worker that dies are due
	// again when the lease has ended.
	Claim(ctx context.Context, q Queue, now time.Time, lease time.Duration, limit ClaimLimit) ([]Job, error)

	// RenewLeases sets the WakeAt of every row that still has its lease to until,
	// with one statement for all leases that end at the same time, and returns the
	// ids of these rows. The others were written, claimed by another node, or
	// deleted.
	RenewLeases(ctx context.Context, q Queue, leases []Lease, until time.Time) (held []string, err error)

	// RetryJob makes a row due at the time at after its handler has failed, and
	// stores the number of attempts and the reason. A row without WakeAt, or one that
	// was claimed again after j, does not change.
	RetryJob(ctx context.Context, q Queue, j Job, at time.Time, reason string) error

	// ParkJob takes a row out of the queue until ResumeJob or until it is written.
	// A row without WakeAt, or one that was written or claimed again after j, does not
	// change.
	ParkJob(ctx context.Context, q Queue, j Job, now time.Time, reason string) error
	// ParkedJobs lists the parked rows of a queue, longest parked first, at most
	// limit.
	ParkedJobs(ctx context.Context, q Queue, limit int) ([]ParkedJob, error)
	// ParkedJob reads one parked row. Errors: ErrNotFound when no such row is parked.
	ParkedJob(ctx context.Context, q Queue, id string) (ParkedJob, error)
	// QueueFigures sums up a queue at the time now. It reads indexes only.
	QueueFigures(ctx context.Context, q Queue, now time.Time) (QueueFigures, error)
	// ResumeJob makes a parked row due at the time now with no attempts counted.
	// Errors: ErrNotFound when no such row is parked.
	ResumeJob(ctx context.Context, q Queue, id string, now time.Time) error
	// DropJob makes a parked row due at the time now with Dropped attempts: the next who
	// claims it hands it to the last resort of its queue. Errors: ErrNotFound when no such
	// row is parked.
	DropJob(ctx context.Context, q Queue, id string, now time.Time) error
}
