// Package dedupe owns requests with an Idempotency-Key (docs/reference/api.md
// 1.7): it runs each at most once, stores its response and returns the stored
// response to a repeat. Stored requests and responses are sealed under the
// server's key.
package dedupe

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	keepFor = 24 * time.Hour // how long a key is stored (docs/reference/api.md 1.7)
	// lockFor is when an unfinished first call is given up, counted from its start:
	// its process has probably died. If it lives, its transaction fails when another
	// call has claimed the key.
	lockFor = 5 * time.Second
	maxKey  = 255
)

// Request identifies a request. Two requests of one client with the same key are
// the same when all other members are equal too, so that the response to one user
// never goes to another.
type Request struct {
	ClientID string
	UserID   string // empty for a caller with an API key
	Key      string // Idempotency-Key; empty for none
	Route    string // method and path as requested
	Body     []byte
}

// Response is a response as it is stored.
type Response struct {
	Status      int    `json:"status"`
	Location    string `json:"location,omitempty"`
	ContentType string `json:"type,omitempty"`
	Body        []byte `json:"body,omitempty"`
	// UserID is the user that the response is about: it is deleted with the user.
	UserID string `json:"-"`
}

// String keeps the body, which may hold a session token, out of logs.
func (r Response) String() string { return fmt.Sprintf("dedupe.Response(%d)", r.Status) }

// Requests runs requests at most once. It is safe for concurrent use.
type Requests struct {
	store store.Store
	vault seal.Vault
	clk   clock.Clock
}

// New returns a Requests.
func New(s store.Store, v seal.Vault, clk clock.Clock) *Requests { return &Requests{s, v, clk} }

// Run calls run for the first request with a key, and returns the stored response
// for a repeat of the same request: then replayed is true. Without a key it calls
// run with a nil claim.
//
// run lets the service that creates the resource store the response in its own
// transaction (Claim.Prepare): after a crash both are there or neither is. A
// response that was not prepared is stored after run. Responses with status
// 5xx or 429 are not stored, nor is an error of run, which Run returns unchanged:
// the key can be used again. When the process dies inside run, the key can be
// used again 30 s after the call began.
//
// Faults: InvalidParameter for a key that is not 1 to 255 printable ASCII
// characters,
// IdempotencyInProgress, IdempotencyKeyReused.
func (q *Requests) Run(ctx context.Context, r Request,
	run func(context.Context, *Claim) (Response, error)) (resp Response, replayed bool, err error) {
	if r.Key == "" {
		resp, err = run(ctx, nil)
		return resp, false, err
	}
	if len(r.Key) > maxKey || strings.ContainsFunc(r.Key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return Response{}, false, fault.Param("@Idempotency-Key", fault.Invalid,
			"must have 1 to 255 printable ASCII characters")
	}
	fingerprint := r.fingerprint()
	claim, found, err := q.claim(ctx, r, fingerprint)
	if err != nil {
		return Response{}, false, faultOf("claim an idempotency key", err)
	}
	if claim == nil {
		resp, err = q.replay(ctx, found, fingerprint)
		return resp, err == nil, err
	}
	resp, err = run(ctx, claim)
	if err := claim.close(ctx, resp, err); err != nil {
		return Response{}, false, faultOf("store a response", err)
	}
	return resp, false, err
}

// claim claims the key for this call. When another call has it, claim is nil and
// found is its record.
func (q *Requests) claim(ctx context.Context, req Request, fingerprint []byte) (c *Claim, found idempotency.Record, err error) {
	now := q.clk.Now()
	r := idempotency.Record{
		ClientID: req.ClientID, Key: req.Key, StartedAt: now, ExpiresAt: now.Add(keepFor), LockedUntil: now.Add(lockFor),
	}
	// The fingerprint is sealed: a body may hold a personal number, and there are
	// so few of those that a hash can be reversed by trying them all.
	if r.Request, err = q.vault.Seal(ctx, seal.System, place("request", r), fingerprint); err != nil {
		return nil, r, err
	}
	claimed := false
	err = q.store.Write(ctx, func(tx store.Tx) error {
		claimed = false
		var err error
		found, err = tx.ClaimIdempotencyKey(ctx, r)
		if errors.Is(err, store.ErrExists) && !found.Done && !now.Before(found.LockedUntil) {
			if err := tx.ReleaseIdempotencyKey(ctx, found); err != nil {
				return err
			}
			found, err = tx.ClaimIdempotencyKey(ctx, r)
		}
		if errors.Is(err, store.ErrExists) {
			return nil
		}
		claimed = err == nil
		return err
	})
	if err != nil || !claimed {
		return nil, found, err
	}
	return &Claim{requests: q, record: r}, found, nil
}

// replay returns the stored response to a repeat.
func (q *Requests) replay(ctx context.Context, found idempotency.Record, fingerprint []byte) (Response, error) {
	first, err := q.vault.Open(ctx, seal.System, place("request", found), found.Request)
	if err != nil {
		return Response{}, faultOf("open a stored request", err)
	}
	if subtle.ConstantTimeCompare(first, fingerprint) != 1 {
		return Response{}, fault.New(fault.IdempotencyKeyReused)
	}
	if !found.Done {
		return Response{}, fault.New(fault.IdempotencyInProgress)
	}
	plain, err := q.vault.Open(ctx, seal.System, place("response", found), found.Sealed)
	if err != nil {
		return Response{}, faultOf("open a stored response", err)
	}
	var r Response
	if err := json.Unmarshal(plain, &r); err != nil {
		return Response{}, faultOf("parse a stored response", err)
	}
	return r, nil
}

func place(column string, r idempotency.Record) seal.Place {
	return seal.Place{Table: "idempotency", Column: column, Row: r.ClientID + " " + r.Key}
}

// fingerprint is a hash of the caller, the route and the body, each preceded by
// its length.
func (r Request) fingerprint() []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(r.UserID), []byte(r.Route), r.Body} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// faultOf returns the fault for the error of an operation.
func faultOf(operation string, err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.Wrap(fmt.Errorf("dedupe: %s: %w", operation, err))
}
