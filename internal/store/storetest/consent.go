package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/store"
)

func testConsents(_ *testing.T, f fixture) {
	full := f.addConsent(nil)
	got, err := f.s.Consent(f.ctx, full.ID)
	check(f, "every member", got, err, full)

	bare := consent.Consent{ID: consent.ID(newID()), ClientID: f.client.ID, CollectionID: newID()}
	f.write(func(tx store.Tx) error { return tx.AddConsent(f.ctx, bare) })
	got, err = f.s.Consent(f.ctx, bare.ID)
	check(f, "no member", got, err, bare)
	_, err = f.s.Consent(f.ctx, consent.ID(newID()))
	missing(f, "no such consent", got, err)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddConsent(f.ctx, bare) })

	// "No account" must not be read as "every account".
	none := f.addConsent(func(c *consent.Consent) {
		c.Requested, c.Granted = consent.Scope{AccountIDs: []string{}}, &consent.Scope{AccountIDs: []string{}, Balances: true}
	})
	got, err = f.s.Consent(f.ctx, none.ID)
	check(f, "a scope without accounts", got, err, none)

	full.Status, full.Step, full.Granted, full.Sealed, full.WakeAt = consent.Revoked, consent.StepEnd, nil, nil, time.Time{}
	full.LoginMethod, full.Requested = "OTHER", consent.Scope{Balances: true}
	full.StatusChangedAt, full.AuthorizeBy, full.ExpiresAt = start.Add(time.Hour), start.Add(2*time.Hour), start.Add(3*time.Hour)
	full.SCAExpiresAt, full.RevokedAt, full.Failure = start.Add(4*time.Hour), start.Add(5*time.Hour), consent.Rejected
	full.OpenRequestID, full.AuthorizeRequestID, full.RenewedBy, full.Warned = "open 2", "authorise 2", "after 2", start.Add(6*time.Hour)
	full.Person = "person 2"
	full.Visit = &consent.Visit{Hash: "hash 2", Stage: consent.StageHeld, Browsers: []string{"one", "two"}, Holder: "two", Code: "code", Tries: 1}
	after := full
	after.Rev++
	f.write(func(tx store.Tx) error {
		handed, err := tx.PutConsent(f.ctx, full)
		check(f, "handed back", handed, err, after)
		return err
	})
	got, err = f.s.Consent(f.ctx, full.ID)
	check(f, "updated", got, err, after)
}

func testCompareAndSwap(_ *testing.T, f fixture) {
	c, k := f.addConsent(nil), f.addCollection(nil)
	stale, staleCollection := c, k
	stale.Rev, staleCollection.Rev = c.Rev-1, k.Rev+1
	f.fails(store.ErrConflict, func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, stale); return err })
	f.fails(store.ErrConflict, func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, staleCollection); return err })
	stale.ID, staleCollection.ID = consent.ID(newID()), newID()
	f.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, stale); return err })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, staleCollection); return err })
	// A transaction can write the same row several times.
	f.write(func(tx store.Tx) error {
		again := c
		for range 3 {
			var err error
			if again, err = tx.PutConsent(f.ctx, again); err != nil {
				return err
			}
		}
		check(f, "revision", again.Rev, nil, c.Rev+3)
		return nil
	})
}

func testCompareAndSwapHasOneWinner(t *testing.T, f fixture) {
	c, k := f.addConsent(nil), f.addCollection(nil)
	for round := range 5 {
		var won, lost atomic.Int32
		note := func(err error) {
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrConflict):
				lost.Add(1)
			default:
				t.Error(err)
			}
		}
		together(8, func(int) {
			note(f.s.Write(f.ctx, func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, c); return err }))
			note(f.s.Write(f.ctx, func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, k); return err }))
		})
		c.Rev++
		k.Rev++
		if won.Load() != 2 || lost.Load() != 14 {
			t.Fatalf("round %d: %d writers won and %d lost, want 2 and 14", round, won.Load(), lost.Load())
		}
	}
}

func testLockConsent(t *testing.T, f fixture) {
	c := f.addConsent(func(c *consent.Consent) { c.Rev = 0 })
	_, err := f.s.Consent(f.ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.LockConsent(f.ctx, consent.ID(newID())); return err })
	// A transaction that has locked the consent never loses the compare-and-swap.
	const writers, times = 8, 5
	together(writers, func(int) {
		for range times {
			if err := f.s.Write(f.ctx, func(tx store.Tx) error {
				locked, err := tx.LockConsent(f.ctx, c.ID)
				if err != nil {
					return err
				}
				_, err = tx.PutConsent(f.ctx, locked)
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	})
	got, err := f.s.Consent(f.ctx, c.ID)
	check(f, "revision", got.Rev, err, int64(writers*times))
}
