package store

import (
	"context"
	"time"
)

// Eraser deletes personal data.
type Eraser interface {
	// EraseData deletes raw answers and products of a collection, and its outbox message of
	// the kind ApplyCollection.
	EraseData(ctx context.Context, collectionID string) error
	// EraseUserData erases a user's data in pieces, so that a user with thousands
	// of collections does not stop other writers. It takes up to limit of the
	// user's collections, oldest first and only those with an id above after
	// (empty = from the start). It deletes their raw answers and products, removes
	// the account ids from Filter and from the scopes of the final consents inside
	// them, and sets ErasedAt of those that have none; their Rev grows. It returns the id of the
	// last one, for the next call, or the empty string when there are no more. To
	// start again from the beginning does no harm. It does not end collections that
	// run: end those before, or they go on reading.
	EraseUserData(ctx context.Context, userID, after string, now time.Time, limit int) (last string, err error)
	// EraseUserScopes removes the account ids from the scopes of a user's final
	// consents, in pieces like EraseUserData; their Rev grows. It takes up to limit
	// of the consents that have account ids and an id above after. Consents inside
	// collections are left to EraseUserData.
	EraseUserScopes(ctx context.Context, userID, after string, limit int) (last string, err error)
	// DestroyDataKey destroys a subject's data key, whether it has one or not:
	// afterwards DataKey and AddDataKey return seal.ErrKeyDestroyed. If the subject
	// is a collection, the account ids of the collection and of the final consent
	// inside it are removed too; the Rev of the changed rows grows. Errors:
	// seal.ErrNoSubject when the subject is empty or seal.System.
	DestroyDataKey(ctx context.Context, subject string, at time.Time) error
	// Sweep deletes what has expired at the time now: idempotency records, raw
	// answers and products past their collection's DataUntil, audit entries older
	// than keepEvidence, events recorded longer than event.Kept ago, visits and archives past
	// session.VisitKept and session.ArchiveLife. With the data of a collection that belongs to no user it
	// destroys the collection's data key and removes the account ids, as
	// DestroyDataKey does. It deletes some thousand rows at most and
	// returns how many, and the subjects of the keys, which the caller evicts from
	// its vault after the commit.
	Sweep(ctx context.Context, now time.Time, keepEvidence time.Duration) (rows int, subjects []string, err error)
}
