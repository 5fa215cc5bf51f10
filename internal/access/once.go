package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
)

const (
	onceKept   = 24 * time.Hour   // how long a key is remembered (docs/reference/api.md 1.7)
	onceLocked = 30 * time.Second // after this an unfinished call is given up: its process has died
	onceMaxKey = 255
	// onceClose bounds the write after a run, which must not end with a caller
	// who hung up.
	onceClose = 5 * time.Second
)

// errClaimLost says that the call took longer than onceLocked and another call
// with the same key has begun since: what it was about to write is not written.
var errClaimLost = errors.New("access: the idempotency claim was given to another call")

// Response is an answer as it is remembered.
type Response struct {
	Status      int    `json:"status"`
	Location    string `json:"location,omitempty"`
	ContentType string `json:"type,omitempty"`
	Body        []byte `json:"body,omitempty"`
	// UserID is whom the answer is about: it is forgotten with them.
	UserID string `json:"-"`
}

// Once remembers the answers to requests with an Idempotency-Key (docs/reference/api.md 1.7),
// sealed under the system's key. It is safe for concurrent use.
type Once struct {
	store store.Store
	vault seal.Vault
	clk   clock.Clock
}

// NewOnce returns the memory.
func NewOnce(s store.Store, v seal.Vault, clk clock.Clock) *Once { return &Once{s, v, clk} }

// Claim is the right of one call to answer for its key.
type Claim struct {
	once   *Once
	record idempotency.Record
	// written is the last answer handed to a transaction, committed or not.
	written *Response
}

// Do runs run at most once for a key, and answers a repeat of the same request
// from memory: then replayed is true. An empty key just runs with a nil claim.
//
// route is the method and the path as requested; the caller and the body are
// part of the request too, so that one user's answer never goes to another.
// run hands its claim to the service that writes, which completes it in its own
// transaction: after a crash either both or neither is there. An answer that
// was not completed so is remembered after the run. Answers of 5xx and 429 are
// not remembered and leave the key free, as does an error of run, which is
// returned as it is. A process that dies inside run gives the key free 30 s
// after the call began.
//
// Faults: InvalidParameter for a key that is not 1 to 255 printable ASCII
// characters (the pointer is empty, as it is no member of the body),
// IdempotencyInProgress, IdempotencyKeyReused.
func (o *Once) Do(ctx context.Context, who Identity, key, route string, body []byte,
	run func(context.Context, *Claim) (Response, error)) (resp Response, replayed bool, err error) {
	if key == "" {
		resp, err = run(ctx, nil)
		return resp, false, err
	}
	if !printable(key, ' ', onceMaxKey) {
		return Response{}, false, fault.Param("", fault.Invalid,
			"the header Idempotency-Key must have 1 to 255 printable ASCII characters")
	}
	request := hashRequest(who, route, body)
	claim, found, err := o.begin(ctx, who.ClientID, key, request)
	if err != nil {
		return Response{}, false, asFault("begin an idempotent request", err)
	}
	if claim == nil {
		resp, err = o.replay(ctx, found, request)
		return resp, err == nil, err
	}
	resp, err = run(ctx, claim)
	if err := claim.close(ctx, resp, err); err != nil {
		return Response{}, false, asFault("end an idempotent request", err)
	}
	return resp, false, err
}

// begin claims the key, or finds who has it.
func (o *Once) begin(ctx context.Context, clientID, key string, request []byte) (*Claim, idempotency.Record, error) {
	now := o.clk.Now()
	r := idempotency.Record{
		ClientID: clientID, Key: key, StartedAt: now, ExpiresAt: now.Add(onceKept), LockedUntil: now.Add(onceLocked),
	}
	var err error
	// The hash is sealed: bodies may hold a personal number, and those are few
	// enough to be guessed from a hash.
	if r.Request, err = o.vault.Seal(ctx, seal.System, oncePlace("request", r), request); err != nil {
		return nil, r, err
	}
	var found idempotency.Record
	mine := false
	err = o.store.Write(ctx, func(tx store.Tx) error {
		mine = false
		var err error
		found, err = tx.ClaimIdempotencyKey(ctx, r)
		if errors.Is(err, store.ErrExists) && !found.Done && !now.Before(found.LockedUntil) {
			if err := tx.ReleaseIdempotencyKey(ctx, clientID, key); err != nil {
				return err
			}
			found, err = tx.ClaimIdempotencyKey(ctx, r)
		}
		if errors.Is(err, store.ErrExists) {
			return nil
		}
		mine = err == nil
		return err
	})
	if err != nil || !mine {
		return nil, found, err
	}
	return &Claim{once: o, record: r}, found, nil
}

func (o *Once) replay(ctx context.Context, found idempotency.Record, request []byte) (Response, error) {
	first, err := o.vault.Open(ctx, seal.System, oncePlace("request", found), found.Request)
	if err != nil {
		return Response{}, asFault("read a remembered request", err)
	}
	if subtle.ConstantTimeCompare(first, request) != 1 {
		return Response{}, fault.New(fault.IdempotencyKeyReused)
	}
	if !found.Done {
		return Response{}, fault.New(fault.IdempotencyInProgress)
	}
	plain, err := o.vault.Open(ctx, seal.System, oncePlace("response", found), found.Sealed)
	if err != nil {
		return Response{}, asFault("read a remembered response", err)
	}
	var r Response
	if err := json.Unmarshal(plain, &r); err != nil {
		return Response{}, asFault("read a remembered response", err)
	}
	return r, nil
}

// Complete remembers the answer inside the transaction that makes it true. On a
// nil claim it does nothing. An error means that the transaction must not be
// committed: the claim went to another call, or the store failed.
func (c *Claim) Complete(ctx context.Context, tx store.Tx, resp Response) error {
	if c == nil {
		return nil
	}
	if err := c.hold(ctx, tx); err != nil {
		return err
	}
	return c.end(ctx, tx, resp)
}

// hold makes sure that the key is still this call's: errClaimLost if not.
func (c *Claim) hold(ctx context.Context, tx store.Tx) error {
	found, err := tx.ClaimIdempotencyKey(ctx, c.record)
	if !errors.Is(err, store.ErrExists) {
		return err // nil: the record was swept meanwhile and is claimed anew
	}
	if found.Done || found.StartedAt.UnixMilli() != c.record.StartedAt.UnixMilli() {
		return errClaimLost
	}
	return nil
}

func (c *Claim) end(ctx context.Context, tx store.Tx, resp Response) error {
	plain, err := json.Marshal(resp)
	if err != nil {
		return err
	}
	r := c.record
	r.Done, r.Status, r.UserID = true, resp.Status, resp.UserID
	if r.Sealed, err = c.once.vault.Seal(ctx, seal.System, oncePlace("response", r), plain); err != nil {
		return err
	}
	c.written = &resp
	return tx.CompleteIdempotencyKey(ctx, r)
}

// close ends the claim after the run. A claim that was handed to a transaction
// is never abandoned: when it is not known whether that was committed, the key
// stays locked until it is given up, and a repeat then finds what is true.
func (c *Claim) close(ctx context.Context, resp Response, failure error) error {
	forgettable := failure != nil || resp.Status >= 500 || resp.Status == http.StatusTooManyRequests
	if forgettable && c.written != nil || c.written != nil && reflect.DeepEqual(*c.written, resp) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onceClose)
	defer cancel()
	err := c.once.store.Write(ctx, func(tx store.Tx) error {
		if !forgettable {
			return c.Complete(ctx, tx, resp)
		}
		if err := c.hold(ctx, tx); err != nil {
			return err
		}
		return tx.ReleaseIdempotencyKey(ctx, c.record.ClientID, c.record.Key)
	})
	if errors.Is(err, errClaimLost) || forgettable {
		return nil // the answer stands, only its memory is another's or ends with the lock
	}
	return err
}

func oncePlace(column string, r idempotency.Record) seal.Place {
	return seal.Place{Table: "idempotency", Column: column, Row: r.ClientID + " " + r.Key}
}

// hashRequest hashes who asked what. Each part carries its length.
func hashRequest(who Identity, route string, body []byte) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(who.UserID), []byte(route), body} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// String keeps answers, which may hold a session token, out of logs.
func (r Response) String() string { return fmt.Sprintf("access.Response(%d)", r.Status) }
