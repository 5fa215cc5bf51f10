package store

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/quota"
)

// PlanReader reads refresh plans and schedules.
type PlanReader interface {
	// RefreshPlan returns what a client has asked for one of its users.
	RefreshPlan(ctx context.Context, clientID, userID string) (quota.Refresh, error)
	// Schedule returns the schedule of a lineage.
	Schedule(ctx context.Context, lineage consent.ID) (quota.Schedule, error)
	// SchedulesOf lists the schedules of a user, by lineage: one for each lineage that has
	// a plan or a queued collection.
	SchedulesOf(ctx context.Context, clientID, userID string) ([]quota.Schedule, error)
	// AuthorizedConsents lists the authorized consents of a user, newest first and at most
	// limit, without those inside one-time collections.
	AuthorizedConsents(ctx context.Context, clientID, userID string, limit int) ([]consent.Consent, error)
	// ConsentsByID lists those of the consents with these ids that are the user's and not
	// inside a one-time collection, newest first.
	ConsentsByID(ctx context.Context, clientID, userID string, ids []consent.ID) ([]consent.Consent, error)
	// UnattendedCalls lists what was counted with CountCalls for a lineage after the given
	// time, oldest first.
	UnattendedCalls(ctx context.Context, lineage consent.ID, since time.Time) ([]quota.Read, error)
	// LastReads returns the newest collection under a consent of the lineage that has begun,
	// and the newest one that has ended in each of the statuses, at most one for each. A
	// queued collection that waits, or has never begun, is not among them.
	LastReads(ctx context.Context, lineage consent.ID, in []collection.Status) ([]LineageRead, error)
	// UnattendedRunning lists the background refreshes of the lineage that have begun after
	// the given time and have not ended, the one that began last first.
	UnattendedRunning(ctx context.Context, lineage consent.ID, since time.Time) ([]LineageRead, error)
}

// LineageRead is a collection as the state of a consent shows it.
type LineageRead struct {
	ID       string
	Attended bool
	Status   collection.Status
	BeganAt  time.Time
	Filtered bool // it reads some accounts only
}

// PlanWriter writes refresh plans and schedules.
type PlanWriter interface {
	// PutRefreshPlan stores what a client asks for, in place of what it asked for before.
	PutRefreshPlan(ctx context.Context, p quota.Refresh) error
	// DeleteRefreshPlan deletes it. Errors: ErrNotFound.
	DeleteRefreshPlan(ctx context.Context, clientID, userID string) error
	// LockSchedule reads a schedule and keeps others from writing it until the
	// transaction ends. Lock consents and collections before.
	LockSchedule(ctx context.Context, lineage consent.ID) (quota.Schedule, error)
	// AddSchedule stores a schedule. Errors: ErrExists when the lineage has one.
	AddSchedule(ctx context.Context, s quota.Schedule) error
	// PutSchedule is a compare-and-swap on s.Rev. Errors: ErrNotFound, ErrConflict.
	PutSchedule(ctx context.Context, s quota.Schedule) error
	// DeleteSchedule deletes a schedule if it has this Rev. Errors: ErrNotFound, ErrConflict.
	DeleteSchedule(ctx context.Context, s quota.Schedule) error
	// WakeSchedule makes a schedule due now, if it is due later; then its Rev grows, so
	// that a handler which has read it before does not store an older decision. It is no
	// error if the lineage has none.
	WakeSchedule(ctx context.Context, lineage consent.ID, now time.Time) error
	// DeletePlansOf deletes the refresh plan and the schedules of a user.
	DeletePlansOf(ctx context.Context, clientID, userID string) error
	// CountCalls adds requests of a background refresh to the counters of its lineage. All
	// calls of one collection and counter count from the last time at.
	CountCalls(ctx context.Context, lineage consent.ID, collectionID string, at time.Time, calls map[string]int) error
}
