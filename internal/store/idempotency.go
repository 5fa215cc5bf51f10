package store

import (
	"context"

	"samla/internal/idempotency"
)

// IdempotencyWriter writes the records behind the Idempotency-Key header.
type IdempotencyWriter interface {
	// ClaimIdempotencyKey claims the key r.Key of a client and returns r. Errors:
	// ErrExists, with the record found, when the client has used the key and it has
	// not expired at r.StartedAt.
	ClaimIdempotencyKey(ctx context.Context, r idempotency.Record) (found idempotency.Record, err error)
	// CompleteIdempotencyKey stores the response of a claimed key: r.Done, UserID,
	// Status and Sealed. Errors: ErrConflict when the claim with r.StartedAt does
	// not hold the key, or has been completed. Its outcome is known when it returns,
	// so that no commit can complete a key that ReleaseIdempotencyKey has released
	// since.
	CompleteIdempotencyKey(ctx context.Context, r idempotency.Record) error
	// ReleaseIdempotencyKey deletes the record of a claim, so that the key can be
	// used again. It does nothing when the claim with r.StartedAt does not hold the
	// key, or has been completed.
	ReleaseIdempotencyKey(ctx context.Context, r idempotency.Record) error
	// EraseIdempotencyKeys deletes up to limit responses that are about a user and
	// returns how many. Less than limit means that none is left.
	EraseIdempotencyKeys(ctx context.Context, clientID, userID string, limit int) (int, error)
}
