// Package idempotency owns the records of requests with an Idempotency-Key
// (docs/reference/api.md 1.7): what was asked, who answers it now, and what was
// answered.
package idempotency

import (
	"context"
	"time"
)

// Record is what is stored of one key of one client. ClientID, Key and StartedAt
// together are the claim of one call.
type Record struct {
	ClientID  string
	Key       string    // 1 to 255 printable ASCII characters
	Request   []byte    // hash of caller, route and body, sealed under the server's key
	StartedAt time.Time // when the key was first used
	ExpiresAt time.Time // when the record is deleted
	// LockedUntil is when an unfinished first call is given up, because the
	// process that ran it has died.
	LockedUntil time.Time
	Done        bool
	UserID      string // the user that the response is about; empty for none
	Status      int    // HTTP status of the response
	Sealed      []byte // response, sealed under the server's key
}

// Answer renders the response to the request that creates a resource, and seals it
// as a completed record; nil means that the request has no key. A service calls it
// through Prepare before its transaction, and stores the record in the transaction
// that stores the resource: so the response is rendered once and outside of any
// transaction. A nil Answer prepares nothing.
type Answer[T any] func(ctx context.Context, resource T) (*Record, error)

// Prepare returns the record to store together with the resource, or nil for none.
func (a Answer[T]) Prepare(ctx context.Context, resource T) (*Record, error) {
	if a == nil {
		return nil, nil
	}
	return a(ctx, resource)
}

// Store completes keys inside a transaction.
type Store interface {
	CompleteIdempotencyKey(ctx context.Context, r Record) error
}

// Complete stores a prepared record inside the transaction of its resource. It
// does nothing for nil.
func (r *Record) Complete(ctx context.Context, tx Store) error {
	if r == nil {
		return nil
	}
	return tx.CompleteIdempotencyKey(ctx, *r)
}
