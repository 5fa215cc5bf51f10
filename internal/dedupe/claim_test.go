package dedupe_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

// create creates a user for an Idempotency-Key, as a service does.
func (n *node) create(ctx context.Context, c *dedupe.Claim, dies func(when string)) (dedupe.Response, error) {
	u := user.User{ID: n.IDs.New(), ClientID: "a", ExternalID: "customer-4711", CreatedAt: n.Clock.Now()}
	resp := dedupe.Response{Status: 201, Location: "/users/" + u.ID}
	r, err := c.Prepare(ctx, resp)
	if err != nil {
		return dedupe.Response{}, err
	}
	dies("before")
	err = n.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddUser(ctx, u); err != nil {
			return err
		}
		return r.Complete(ctx, tx)
	})
	if err != nil {
		return dedupe.Response{}, err
	}
	dies("after")
	return resp, nil
}

// created returns the id of the user that create created, empty for none.
func (n *node) created() string {
	n.Helper()
	u, err := n.Store.UserByExternalID(n.Context(), "a", "customer-4711")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		n.Fatal(err)
	}
	return u.ID
}

// A process dies before the transaction, and after it but before the response.
func TestRun_RecoversAfterCrash(t *testing.T) {
	for _, moment := range []string{"before", "after"} {
		n := newNode(t)
		func() {
			defer func() { _ = recover() }()
			_, _, _ = n.run("key", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
				return n.create(ctx, c, func(when string) {
					if when == moment {
						panic("killed")
					}
				})
			})
			t.Error("no panic")
		}()
		if moment == "after" { // both the user and the response are there
			resp, replayed, err := n.run("key", never(t))
			if err != nil || !replayed || resp.Location != "/users/"+n.created() {
				t.Errorf("%s: %v, %v, %v", moment, resp, replayed, err)
			}
			continue
		}
		if n.created() != "" {
			t.Fatal("the user was created")
		}
		n.Clock.Advance(5*time.Second - time.Millisecond)
		if _, _, err := n.run("key", never(t)); fault.CodeOf(err) != fault.IdempotencyInProgress {
			t.Errorf("%s: %v", moment, err)
		}
		n.Clock.Advance(time.Millisecond)
		_, replayed, err := n.run("key", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
			return n.create(ctx, c, func(string) {})
		})
		if err != nil || replayed || n.created() == "" {
			t.Errorf("%s: %v, %v", moment, replayed, err)
		}
	}
}

// A call that takes longer than its lock: another call has claimed the key since.
func TestPrepare_FailsTransactionAfterClaimIsLost(t *testing.T) {
	n := newNode(t)
	_, _, err := n.run("key", func(ctx context.Context, slow *dedupe.Claim) (dedupe.Response, error) {
		n.Clock.Advance(6 * time.Second)
		if _, replayed, err := n.run("key", answer(stored)); err != nil || replayed {
			t.Error(replayed, err)
		}
		return n.create(ctx, slow, func(string) {})
	})
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if n.created() != "" {
		t.Error("the transaction of the slow call was committed")
	}
	if resp, replayed, err := n.run("key", never(t)); err != nil || !replayed || !reflect.DeepEqual(resp, stored) {
		t.Errorf("the response of the other call is gone: %v, %v, %v", resp, replayed, err)
	}
}

// A prepared response whose transaction fails leaves nothing: neither the resource
// nor the response, and the key can be used again at once.
func TestPrepare_LeavesNothingWhenTransactionFails(t *testing.T) {
	n := newNode(t)
	failed := errors.New("the transaction failed")
	prepare := func(ctx context.Context, c *dedupe.Claim) error {
		r, err := c.Prepare(ctx, stored)
		if err != nil {
			return err
		}
		return n.Store.Write(ctx, func(tx store.Tx) error {
			if err := r.Complete(ctx, tx); err != nil {
				t.Error(err)
			}
			return failed
		})
	}
	_, _, err := n.run("key", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
		return dedupe.Response{}, prepare(ctx, c)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	conflict := dedupe.Response{Status: 409}
	_, replayed, err := n.run("key", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
		_ = prepare(ctx, c)
		return conflict, nil // another response than the one that was rolled back
	})
	if err != nil || replayed {
		t.Fatalf("the key is still in use: %v, %v", replayed, err)
	}
	if resp, replayed, err := n.run("key", never(t)); err != nil || !replayed || !reflect.DeepEqual(resp, conflict) {
		t.Errorf("%v, %v, %v", resp, replayed, err)
	}
}

// The transaction was committed, but the service reports a failure because it did
// not learn that: the stored response stays.
func TestRun_KeepsResponseThatWasCommitted(t *testing.T) {
	n := newNode(t)
	lost := errors.New("connection lost")
	_, _, err := n.run("key", func(ctx context.Context, c *dedupe.Claim) (dedupe.Response, error) {
		if _, err := n.create(ctx, c, func(string) {}); err != nil {
			t.Error(err)
		}
		return dedupe.Response{}, lost
	})
	if !errors.Is(err, lost) {
		t.Fatal(err)
	}
	if resp, replayed, err := n.run("key", never(t)); err != nil || !replayed || resp.Location != "/users/"+n.created() {
		t.Errorf("%v, %v, %v", resp, replayed, err)
	}
}
