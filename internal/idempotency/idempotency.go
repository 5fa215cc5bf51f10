// Package idempotency owns the records of requests with an Idempotency-Key
// (docs/reference/api.md 1.7): what was asked, who answers it now, and what was
// answered.
package idempotency

import "time"

// Record is what is stored of one key of one client.
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
