// Package parked says what becomes of the flow of a parked job when somebody drops the job,
// and drops it. A job is never only deleted: a consent or a collection whose job is gone would
// stay as it is, and its client would poll for ever. Dropping hands the row to the last resort
// of its queue, which ends the flow as it does for a handler that has failed too often.
package parked

import (
	"context"
	"fmt"
	"time"

	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/store"
)

// Outcome is what becomes of the flow of a job that is dropped. The set is closed.
type Outcome string

// The outcomes.
const (
	// ConsentFails ends a consent with FAILED, and the code INTERNAL_ERROR.
	ConsentFails Outcome = "CONSENT_FAILED"
	// CollectionFails ends a collection with the status FAILED.
	CollectionFails Outcome = "COLLECTION_FAILED"
	// NotApplied leaves a completed collection out of the lasting accounts of its user.
	NotApplied Outcome = "NOT_APPLIED"
)

// RefusedError means that a job cannot be dropped: what it does is not done otherwise.
type RefusedError struct{ Why string }

// Error implements error.
func (e *RefusedError) Error() string { return e.Why }

// Store is the part of a store that dropping needs.
type Store interface {
	store.ConsentReader
	store.CollectionReader
	store.OutboxReader
	store.Jobs
}

// Job is a parked job, with what dropping it means.
type Job struct {
	store.ParkedJob
	Outcome Outcome
	// Refused says why it cannot be dropped; "" = it can.
	Refused string
}

// Find reads a parked job. Error: store.ErrNotFound if no such row is parked.
func Find(ctx context.Context, s Store, q store.Queue, id string) (j Job, err error) {
	if j.ParkedJob, err = s.ParkedJob(ctx, q, id); err != nil {
		return j, err
	}
	j.Outcome, j.Refused, err = meaning(ctx, s, q, id)
	return j, err
}

// Drop ends the flow of a parked job: a running server does so within a second, and one that
// runs later when it starts. Errors: store.ErrNotFound if no such row is parked, also because
// it was written meanwhile; *RefusedError.
func Drop(ctx context.Context, s Store, q store.Queue, id string, now time.Time) (Outcome, error) {
	j, err := Find(ctx, s, q, id)
	switch {
	case err != nil:
		return "", err
	case j.Refused != "":
		return "", &RefusedError{j.Refused}
	}
	return j.Outcome, s.DropJob(ctx, q, id, now)
}

// meaning says what dropping a row means, or why it is refused.
func meaning(ctx context.Context, s Store, q store.Queue, id string) (o Outcome, refused string, err error) {
	switch q {
	case store.Consents:
		c, err := s.Consent(ctx, consent.ID(id))
		if err == nil && !c.Status.Pending() {
			return "", "The permission is authorized, and its job ends it when its time is over. Let the job try again, or let the client end the permission.", nil
		}
		return ConsentFails, "", err
	case store.Collections, store.Dialogues:
		c, err := s.Collection(ctx, id)
		if err == nil && c.Status.Terminal() {
			return "", "The collection has ended: nothing is left to drop. Let the job try again.", nil
		}
		return CollectionFails, "", err
	case store.Webhooks:
		return "", "The job delivers to an endpoint, whose events would be lost. Let it try again, or pause the endpoint.", nil
	case store.Schedules:
		return "", "The job is a reading plan, which ends with its permission. Let it try again.", nil
	case store.Outbox:
		m, err := s.OutboxMessage(ctx, id)
		if why := kept[m.Kind]; why != "" || err != nil {
			return "", why, err
		}
		if m.Kind == outbox.ApplyCollection {
			return NotApplied, "", nil
		}
	}
	return "", fmt.Sprintf("This release does not know what a job of the queue %s is about. Let it try again.", q), nil
}

// kept are the messages that nobody drops, and why.
var kept = map[outbox.Kind]string{
	outbox.RevokeConsent: "The job tells an institution that a permission has ended. Without it the institution would keep the permission. Let it try again.",
	outbox.EraseUser:     "The job erases what is left of a person. It has to be done. Let it try again.",
	outbox.EndLogin:      "The job ends a login at an institution. Without it the login would stay open there. Let it try again.",
	outbox.MakeArchive:   "The job makes the file that a person has asked for. Let it try again.",
}

// Says says an outcome, in a sentence for people.
func (o Outcome) Says() string {
	switch o {
	case ConsentFails:
		return "The permission ends with the status FAILED and the code INTERNAL_ERROR. The client is told as of any other end, and the institution if it may have a permission already."
	case CollectionFails:
		return "The collection ends with the status FAILED. The client is told as of any other end. What was read so far is deleted."
	case NotApplied:
		return "The collection stays completed, and its data can be fetched. What is new in it does not come to the user's lasting accounts; the next collection brings what the institution still shows."
	}
	return ""
}
