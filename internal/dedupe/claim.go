package dedupe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// Claim is the right of one call to store the response for its key.
type Claim struct {
	requests *Requests
	record   idempotency.Record
	prepared *Response // what Prepare was last called with
}

// Prepare seals a response as the record to store in the transaction that creates
// the resource. It returns nil for a nil claim. When the call has taken longer than
// lockFor and another call has claimed the key since, storing the record fails with
// store.ErrConflict, and the transaction must not be committed.
func (c *Claim) Prepare(ctx context.Context, resp Response) (*idempotency.Record, error) {
	if c == nil {
		return nil, nil
	}
	plain, err := json.Marshal(resp)
	if err != nil {
		return nil, fmt.Errorf("dedupe: write a response: %w", err)
	}
	r := c.record
	r.Done, r.Status, r.UserID = true, resp.Status, resp.UserID
	if r.Sealed, err = c.requests.vault.Seal(ctx, seal.System, place("response", r), plain); err != nil {
		return nil, fmt.Errorf("dedupe: seal a response: %w", err)
	}
	c.prepared = &resp
	return &r, nil
}

// close ends the claim after run: it releases the key after a failure, and stores
// the response where the service has not. It cannot undo a response that was
// stored: both writes are compare-and-swap on the claim.
func (c *Claim) close(ctx context.Context, resp Response, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	if failure != nil || resp.Status >= 500 || resp.Status == http.StatusTooManyRequests {
		// A key that cannot be released now is given up after lockFor.
		_ = c.requests.store.Write(ctx, func(tx store.Tx) error { return tx.ReleaseIdempotencyKey(ctx, c.record) })
		return nil
	}
	if c.prepared != nil && reflect.DeepEqual(*c.prepared, resp) {
		return nil // the service stored it
	}
	r, err := c.Prepare(ctx, resp)
	if err != nil {
		return err
	}
	err = c.requests.store.Write(ctx, func(tx store.Tx) error { return r.Complete(ctx, tx) })
	if errors.Is(err, store.ErrConflict) {
		return nil // another call has the key; the response is valid all the same
	}
	return err
}
