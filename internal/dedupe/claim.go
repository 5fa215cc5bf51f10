package dedupe

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
)

// closeWithin bounds the write after run. It does not end with the request, since
// the caller may have hung up.
const closeWithin = 5 * time.Second

// errClaimLost says that the call took longer than lockFor, and that another call
// has claimed the key since. Nothing may be stored for the first call.
var errClaimLost = errors.New("dedupe: another call has claimed the idempotency key")

// Claim is the right of one call to store the response for its key.
type Claim struct {
	requests *Requests
	record   idempotency.Record
	// written is the last response that was passed to a transaction, committed or
	// not.
	written *Response
}

// Complete stores the response inside the transaction that creates the resource.
// It does nothing for a nil claim. After an error the transaction must not be
// committed.
func (c *Claim) Complete(ctx context.Context, tx store.Tx, resp Response) error {
	if c == nil {
		return nil
	}
	if err := c.check(ctx, tx); err != nil {
		return err
	}
	plain, err := json.Marshal(resp)
	if err != nil {
		return err
	}
	r := c.record
	r.Done, r.Status, r.UserID = true, resp.Status, resp.UserID
	if r.Sealed, err = c.requests.vault.Seal(ctx, seal.System, place("response", r), plain); err != nil {
		return err
	}
	c.written = &resp
	return tx.CompleteIdempotencyKey(ctx, r)
}

// check returns errClaimLost when the key is no longer claimed by this call.
func (c *Claim) check(ctx context.Context, tx store.Tx) error {
	found, err := tx.ClaimIdempotencyKey(ctx, c.record)
	if !errors.Is(err, store.ErrExists) {
		return err // nil: the record had expired and is claimed again
	}
	if found.Done || found.StartedAt.UnixMilli() != c.record.StartedAt.UnixMilli() {
		return errClaimLost
	}
	return nil
}

// close ends the claim after run. It never releases the key once a response was
// passed to a transaction: it may not be known whether that was committed. Then
// the key stays locked until lockFor is over, and a repeat reads what is stored.
func (c *Claim) close(ctx context.Context, resp Response, failure error) error {
	release := failure != nil || resp.Status >= 500 || resp.Status == http.StatusTooManyRequests
	if release && c.written != nil || c.written != nil && reflect.DeepEqual(*c.written, resp) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	err := c.requests.store.Write(ctx, func(tx store.Tx) error {
		if !release {
			return c.Complete(ctx, tx, resp)
		}
		if err := c.check(ctx, tx); err != nil {
			return err
		}
		return tx.ReleaseIdempotencyKey(ctx, c.record.ClientID, c.record.Key)
	})
	if errors.Is(err, errClaimLost) || release {
		return nil // the response is valid; a key that is still claimed is given up after lockFor
	}
	return err
}
