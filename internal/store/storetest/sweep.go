package storetest

import (
	"errors"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/idempotency"
	"samla/internal/seal"
	"samla/internal/store"
)

func testSweep(_ *testing.T, f fixture) {
	now := start.Add(30 * 24 * time.Hour)
	const keep = 10 * 24 * time.Hour
	with := func(until time.Time) string {
		k := f.addCollection(func(k *collection.Collection) { k.DataUntil = until })
		f.write(func(tx store.Tx) error {
			if err := tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(k.ID, 0)}); err != nil {
				return err
			}
			return tx.PutProducts(f.ctx, k.ID, collection.Products{Form: 1, Sealed: []byte("x")})
		})
		return k.ID
	}
	over, atEnd, running, unset := with(now.Add(-time.Hour)), with(now), with(now.Add(time.Microsecond)), with(time.Time{})
	consentID := newID()
	for _, at := range []time.Time{now.Add(-keep - time.Microsecond), now.Add(-keep)} {
		f.write(func(tx store.Tx) error {
			return tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: at, ConsentID: consent.ID(consentID)})
		})
	}
	for key, until := range map[string]time.Time{"over": now, "running": now.Add(time.Microsecond)} {
		f.write(func(tx store.Tx) error {
			_, err := tx.ClaimIdempotencyKey(f.ctx, idempotency.Record{ClientID: f.client.ID, Key: key, StartedAt: start, ExpiresAt: until})
			return err
		})
	}
	for _, want := range []int{6, 0} { // raw answers and products of two, an audit entry, an idempotency record; then nothing
		f.write(func(tx store.Tx) error {
			n, subjects, err := tx.Sweep(f.ctx, now, keep)
			check(f, "swept", n, err, want)
			check(f, "keys of users", subjects, nil, nil)
			return err
		})
	}
	for id, want := range map[string]int{over: 0, atEnd: 0, running: 1, unset: 1} {
		all, err := f.s.RawAnswers(f.ctx, id)
		check(f, "raws left", len(all), err, want)
		_, err = f.s.Products(f.ctx, id)
		if (err == nil) != (want == 1) || (err != nil && !errors.Is(err, store.ErrNotFound)) {
			f.Errorf("products of one with %d raws left: %v", want, err)
		}
		if _, err := f.s.Collection(f.ctx, id); err != nil {
			f.Errorf("the collection itself: %v", err)
		}
	}
	left, err := f.s.AuditEntries(f.ctx, consent.ID(consentID))
	check(f, "audit entries left", len(left), err, 1)
}

// testSweepDestroysKeys: the data key of a collection that belongs to no user goes
// with its data. That of a user stays.
func testSweepDestroysKeys(_ *testing.T, f fixture) {
	now := start.Add(30 * 24 * time.Hour)
	with := func(userID string, until time.Time) collection.Collection {
		k := f.addCollection(func(k *collection.Collection) { k.UserID, k.DataUntil = userID, until })
		if _, err := f.s.AddDataKey(f.ctx, k.Subject(), []byte("wrapped")); err != nil {
			f.Error(err)
		}
		return k
	}
	over, running, users := with("", now), with("", now.Add(time.Second)), with(f.user.ID, now)
	for _, want := range [][]string{{over.ID}, nil} {
		var subjects []string
		f.write(func(tx store.Tx) (err error) {
			_, subjects, err = tx.Sweep(f.ctx, now, time.Hour)
			return err
		})
		check(f, "subjects", subjects, nil, want)
	}
	for name, test := range map[string]struct {
		k    collection.Collection
		want error
	}{"over": {over, seal.ErrKeyDestroyed}, "running": {running, nil}, "a user's": {users, nil}} {
		if _, err := f.s.DataKey(f.ctx, test.k.Subject()); !errors.Is(err, test.want) {
			f.Errorf("%s: the key gives %v", name, err)
		}
	}
}

func testSweepIsBounded(t *testing.T, f fixture) {
	const entries = 2500
	f.write(func(tx store.Tx) error {
		for range entries {
			if err := tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: start}); err != nil {
				return err
			}
		}
		return nil
	})
	var total, calls int
	for n := -1; n != 0; calls++ {
		f.write(func(tx store.Tx) (err error) {
			n, _, err = tx.Sweep(f.ctx, start.Add(time.Hour), time.Minute)
			return err
		})
		total += n
	}
	if total != entries || calls < 3 {
		t.Errorf("swept %d rows in %d calls, want %d in 3 or more", total, calls, entries)
	}
}
