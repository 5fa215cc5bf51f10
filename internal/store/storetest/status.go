package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

// checkConsentStatus compares the status view of a consent, twice, because an
// engine may cache it.
func (f fixture) checkConsentStatus(what string, want store.ConsentView) {
	f.Helper()
	want.WakeAt = time.Time{}
	for range 2 {
		got, err := f.s.ConsentStatus(f.ctx, want.ID)
		check(f, what, got, err, want)
	}
}

func (f fixture) checkCollectionStatus(what string, want store.CollectionView) {
	f.Helper()
	want.WakeAt = time.Time{}
	if want.Consent != nil {
		inner := *want.Consent
		inner.WakeAt = time.Time{}
		want.Consent = &inner
	}
	for range 2 {
		got, err := f.s.CollectionStatus(f.ctx, want.ID)
		check(f, what, got, err, want)
	}
}

func testConsentStatus(t *testing.T, f fixture) {
	c, bare := f.addConsent(nil), f.addConsent(func(c *consent.Consent) {
		*c = consent.Consent{ID: c.ID, ClientID: f.client.ID, CollectionID: newID()}
	})
	f.checkConsentStatus("fresh", store.ConsentView{Consent: c})
	f.checkConsentStatus("without a user", store.ConsentView{Consent: bare})
	got, err := f.s.ConsentStatus(f.ctx, consent.ID(newID()))
	missing(f, "no such consent", got, err)

	c.Status = consent.Expired
	f.write(func(tx store.Tx) (err error) { c, err = tx.PutConsent(f.ctx, c); return err })
	f.checkConsentStatus("updated", store.ConsentView{Consent: c})
	c.WakeAt = start.Add(time.Hour + lease)
	if _, err := f.s.Claim(f.ctx, store.Consents, start.Add(time.Hour), lease, store.ClaimLimit{Rows: 10}); err != nil {
		t.Error(err)
	}
	f.checkConsentStatus("claimed", store.ConsentView{Consent: c})
	f.fails(errOfCaller, func(tx store.Tx) error {
		if _, err := tx.PutConsent(f.ctx, c); err != nil {
			return err
		}
		return errOfCaller
	})
	f.checkConsentStatus("after a rollback", store.ConsentView{Consent: c})
	anonymized, _ := f.user.Anonymize(start)
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, f.user, anonymized) })
	f.checkConsentStatus("after its user was anonymized", store.ConsentView{Consent: c, UserAnonymized: true})

	late := consent.ID(newID())
	_, err = f.s.ConsentStatus(f.ctx, late)
	missing(f, "before it was added", got, err)
	added := f.addConsent(func(c *consent.Consent) { c.ID = late })
	f.checkConsentStatus("after it was added", store.ConsentView{Consent: added, UserAnonymized: true})

	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	if _, err := f.s.ConsentStatus(ctx, consent.ID(newID())); err == nil {
		t.Error("a caller who has left was answered")
	}
}

func testUserStatus(t *testing.T, f fixture) {
	look := func(what string, want user.User) {
		t.Helper()
		for range 2 { // an answer can come from a cache
			got, err := f.s.UserStatus(f.ctx, want.ID)
			check(f, what, got, err, want)
		}
	}
	look("fresh", f.user)
	other := f.addUser(f.addClient())
	look("of another client", other)
	got, err := f.s.UserStatus(f.ctx, newID())
	missing(f, "no such user", got, err)
	anonymized, _ := f.user.Anonymize(start)
	f.fails(errOfCaller, func(tx store.Tx) error {
		if err := tx.PutUser(f.ctx, f.user, anonymized); err != nil {
			return err
		}
		return errOfCaller
	})
	look("after a rollback", f.user)
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, f.user, anonymized) })
	look("anonymized", anonymized)
	look("of another client, afterwards", other)
}

func testCollectionStatus(_ *testing.T, f fixture) {
	k := f.addCollection(func(k *collection.Collection) { k.Mode, k.Status = collection.OneTime, collection.Login })
	f.checkCollectionStatus("before its consent", store.CollectionView{Collection: k})
	c := f.addConsent(func(c *consent.Consent) { c.ID, c.CollectionID = k.ConsentID, k.ID })
	f.checkCollectionStatus("with its consent", store.CollectionView{Collection: k, Consent: &c})
	f.write(func(tx store.Tx) (err error) { c, err = tx.PutConsent(f.ctx, c); return err })
	f.checkCollectionStatus("its consent updated", store.CollectionView{Collection: k, Consent: &c})
	if _, err := f.s.Claim(f.ctx, store.Consents, start.Add(time.Hour), lease, store.ClaimLimit{Rows: 10}); err != nil {
		f.Error(err)
	}
	c.WakeAt = start.Add(time.Hour + lease)
	f.checkCollectionStatus("its consent claimed", store.CollectionView{Collection: k, Consent: &c})
	k.PolledAt = start.Add(time.Minute)
	f.write(func(tx store.Tx) error { return tx.RecordPoll(f.ctx, k.ID, k.PolledAt) })
	f.checkCollectionStatus("polled", store.CollectionView{Collection: k, Consent: &c})
	k.WakeAt = start
	f.write(func(tx store.Tx) error { return tx.WakeCollection(f.ctx, k.ID, start) })
	f.checkCollectionStatus("made due", store.CollectionView{Collection: k, Consent: &c})
	for _, s := range collection.Statuses() {
		k.Status = s
		f.write(func(tx store.Tx) (err error) { k, err = tx.PutCollection(f.ctx, k); return err })
		want := store.CollectionView{Collection: k}
		if !s.Terminal() {
			want.Consent = &c
		}
		f.checkCollectionStatus(string(s), want)
	}

	// A stored consent does not live inside the collection, so it is not shown.
	stored := f.addConsent(nil)
	k = f.addCollection(func(k *collection.Collection) { k.ConsentID, k.Status = stored.ID, collection.Running })
	f.checkCollectionStatus("with a stored consent", store.CollectionView{Collection: k})
	ownerless := f.addCollection(func(k *collection.Collection) { k.UserID = "" })
	f.checkCollectionStatus("without a user", store.CollectionView{Collection: ownerless})
	anonymized, _ := f.user.Anonymize(start)
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, f.user, anonymized) })
	f.checkCollectionStatus("after its user was anonymized", store.CollectionView{Collection: k, UserAnonymized: true})
	got, err := f.s.CollectionStatus(f.ctx, newID())
	missing(f, "no such collection", got, err)
}

// testStatusSeesWrites polls while others write and poll. A poll that begins after
// Write has returned sees what was written, and no poll sees an older state than
// one before it.
func testStatusSeesWrites(t *testing.T, f fixture) {
	const rows, writes = 4, 25
	done := make(chan struct{})
	var ids [rows]consent.ID
	for i := range ids {
		ids[i] = f.addConsent(func(c *consent.Consent) { c.Rev = 0 }).ID
	}
	go func() {
		defer close(done)
		together(rows, func(i int) {
			for want := int64(1); want <= writes; want++ {
				f.write(func(tx store.Tx) error {
					c, err := tx.LockConsent(f.ctx, ids[i])
					if err != nil {
						return err
					}
					_, err = tx.PutConsent(f.ctx, c)
					return err
				})
				got, err := f.s.ConsentStatus(f.ctx, ids[i])
				if err != nil || got.Rev != want {
					t.Errorf("after write %d a poll saw %d (%v)", want, got.Rev, err)
				}
				cold, err := f.s.Consent(f.ctx, ids[i])
				cold.WakeAt = time.Time{}
				check(f, "the view and the row", got.Consent, err, cold)
			}
		})
	}()
	together(12, func(i int) {
		var last int64
		for {
			select {
			case <-done:
				return
			default:
			}
			got, err := f.s.ConsentStatus(f.ctx, ids[i%rows])
			if err != nil || got.Rev < last || got.ID != ids[i%rows] {
				t.Errorf("a poll saw %d after %d (%v)", got.Rev, last, err)
			}
			last = got.Rev
			if _, err := f.s.ConsentStatus(f.ctx, consent.ID(newID())); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a consent that does not exist: %v", err)
			}
		}
	})
}
