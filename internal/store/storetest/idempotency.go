package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/idempotency"
	"samla/internal/store"
)

func testIdempotency(_ *testing.T, f fixture) {
	r := idempotency.Record{ClientID: f.client.ID, Key: "k", Request: []byte{1, 0}, StartedAt: start, ExpiresAt: start.Add(time.Hour),
		LockedUntil: start.Add(time.Minute)}
	begin := func(r idempotency.Record) (found idempotency.Record, err error) {
		err = f.s.Write(f.ctx, func(tx store.Tx) error {
			found, err = tx.ClaimIdempotencyKey(f.ctx, r)
			return err
		})
		return found, err
	}
	got, err := begin(r)
	check(f, "claimed", got, err, r)
	second := r
	second.StartedAt, second.ExpiresAt, second.Request = start.Add(2*time.Minute), start.Add(2*time.Hour), []byte{2}
	taken := func(what string, want idempotency.Record) {
		f.Helper()
		got, err := begin(second)
		if !errors.Is(err, store.ErrExists) {
			f.Errorf("%s: got error %v", what, err)
		}
		check(f, what, got, nil, want)
	}
	taken("found unfinished, given up or not", r)

	done := r
	done.Done, done.UserID, done.Status, done.Sealed = true, f.user.ID, 201, []byte("response")
	another := done
	another.StartedAt = r.StartedAt.Add(time.Second)
	release := func(r idempotency.Record) {
		f.Helper()
		f.write(func(tx store.Tx) error { return tx.ReleaseIdempotencyKey(f.ctx, r) })
	}
	release(another)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, another) })
	taken("kept from another claim", r)
	f.write(func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	taken("found finished", done)
	release(done)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	taken("kept once completed", done)

	ofOtherClient := second
	ofOtherClient.ClientID = f.addClient().ID
	_, err = begin(ofOtherClient)
	check(f, "another client's key of the same text", "", err, "")

	second.StartedAt = r.ExpiresAt
	got, err = begin(second)
	check(f, "expired", got, err, second)
	taken("the new claim has replaced the old one", second)

	release(second)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	got, err = begin(r)
	check(f, "free again", got, err, r)
	release(idempotency.Record{ClientID: f.client.ID, Key: "never used", StartedAt: start})

	second.StartedAt = start.Add(2 * time.Minute)
	f.write(func(tx store.Tx) error { return tx.CompleteIdempotencyKey(f.ctx, done) })
	erase := func(userID string, want int) {
		f.Helper()
		f.write(func(tx store.Tx) error {
			n, err := tx.EraseIdempotencyKeys(f.ctx, f.client.ID, userID, 2)
			check(f, "responses erased", n, err, want)
			return nil
		})
	}
	erase(newID(), 0)
	taken("responses about another user were erased", done)
	for _, key := range []string{"k2", "k3"} {
		about := done
		about.Key = key
		_, err := begin(about)
		check(f, "claimed", "", err, "")
	}
	erase(f.user.ID, 2)
	erase(f.user.ID, 1)
	erase(f.user.ID, 0)
	got, err = begin(r)
	check(f, "responses about the user were erased", got, err, r)
	erase("", 0)
	taken("responses about no user were erased", r)
}

func testIdempotencyRace(t *testing.T, f fixture) {
	var claimed, refused atomic.Int32
	together(16, func(i int) {
		err := f.s.Write(f.ctx, func(tx store.Tx) error {
			_, err := tx.ClaimIdempotencyKey(f.ctx, idempotency.Record{ClientID: f.client.ID, Key: "k", Request: []byte{byte(i)},
				StartedAt: start, ExpiresAt: start.Add(time.Hour)})
			return err
		})
		switch {
		case err == nil:
			claimed.Add(1)
		case errors.Is(err, store.ErrExists):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if claimed.Load() != 1 || refused.Load() != 15 {
		t.Errorf("%d claimed the key, %d were refused", claimed.Load(), refused.Load())
	}
}
