package store

import (
	"context"
	"time"
)

// Queue names a table whose rows are jobs.
type Queue string

// The queues. The stored name of the outbox is older than the name.
const (
	Consents    Queue = "consents"
	Collections Queue = "collections"
	Outbox      Queue = "duties"
)

// Queues lists the closed set.
func Queues() []Queue { return []Queue{Consents, Collections, Outbox} }

// Job is a row that was claimed.
type Job struct {
	ID string
	// Attempts counts the claims of the row since it was last written, this one
	// included: a row whose handler fails or dies is written by nobody.
	Attempts  int
	LeaseEnds time.Time
}

// Lease is the hold of a node on a row. It ends at Until, exactly as stored.
type Lease struct {
	ID    string
	Until time.Time
}

// ParkedJob is a row that is not claimed any more, because its handler failed too
// often.
type ParkedJob struct {
	ID       string
	Attempts int
	ParkedAt time.Time
	Reason   string // the last error; no personal data
}

// Jobs hands rows to workers and keeps how that went. A row that has something to
// do carries a WakeAt; the row itself is the job. None of these methods changes a
// row's Rev. Writing a row with Tx.Put… ends what is kept of its attempts, and
// unparks it.
type Jobs interface {
	// Claim takes up to limit rows of the queue whose WakeAt has come at the
	// time now, longest due first, sets their WakeAt to now+lease and returns
	// them. No row is handed to two callers within the lease.
	Claim(ctx context.Context, q Queue, now time.Time, lease time.Duration, limit int) ([]Job, error)

	// RenewLeases moves the WakeAt of every row that is still as its lease says to
	// until, with one statement for all leases that end at one moment, and returns
	// the ids of these rows. The others were written, claimed by another node, or
	// deleted.
	RenewLeases(ctx context.Context, q Queue, leases []Lease, until time.Time) (held []string, err error)

	// RetryJob makes a row due at the time at after its handler has failed, and
	// keeps the number of attempts and the reason. A row that waits for nothing
	// any more stays as it is.
	RetryJob(ctx context.Context, q Queue, j Job, at time.Time, reason string) error

	// ParkJob takes a row out of the queue until ResumeJob or until it is written.
	// A row that waits for nothing any more stays as it is.
	ParkJob(ctx context.Context, q Queue, j Job, now time.Time, reason string) error
	// ParkedJobs lists the parked rows of a queue, longest parked first, at most
	// limit.
	ParkedJobs(ctx context.Context, q Queue, limit int) ([]ParkedJob, error)
	// ResumeJob makes a parked row due at the time now with no attempts counted.
	// Errors: ErrNotFound when no such row is parked.
	ResumeJob(ctx context.Context, q Queue, id string, now time.Time) error
}
