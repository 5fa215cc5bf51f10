package storetest

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/store"
)

// fewCollections is up to how many collections withData adds their messages too.
const fewCollections = 100

// withData adds collections with raw answers and products to the fixture's user,
// in one transaction, and if they are few, with a message that applies each.
func (f fixture) withData(n int, change func(i int, k *collection.Collection)) []collection.Collection {
	f.Helper()
	var all []collection.Collection
	f.write(func(tx store.Tx) error {
		all = nil
		for i := range n {
			k := f.newCollection()
			k.ErasedAt = time.Time{}
			if change != nil {
				change(i, &k)
			}
			all = append(all, k)
			if err := tx.AddCollection(f.ctx, k); err != nil {
				return err
			}
			if err := tx.AddRawAnswers(f.ctx, []collection.RawAnswer{raw(k.ID, 0), raw(k.ID, 1)}); err != nil {
				return err
			}
			if err := tx.PutProducts(f.ctx, k.ID, collection.Products{Form: 1, Sealed: []byte("products")}); err != nil {
				return err
			}
			if n <= fewCollections {
				if err := tx.AddOutboxMessage(f.ctx, outbox.Message{ID: k.ID, Kind: outbox.ApplyCollection, CreatedAt: start}); err != nil {
					return err
				}
			}
			if err := tx.PutPackedProducts(f.ctx, k.ID, collection.Products{Form: 1, Sealed: []byte("packed")}); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// hasData reports whether a collection has raw answers, products or a message.
func (f fixture) hasData(id string) bool {
	f.Helper()
	raws, err := f.s.RawAnswers(f.ctx, id)
	if err != nil {
		f.Error(err)
	}
	_, err = f.s.Products(f.ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		f.Error(err)
	}
	found := err == nil
	if _, err = f.s.PackedProducts(f.ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		f.Error(err)
	}
	found = found || err == nil
	if _, err = f.s.OutboxMessage(f.ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		f.Error(err)
	}
	return len(raws) > 0 || found || err == nil
}

// erase runs one piece of EraseUserData for the fixture's user.
func (f fixture) erase(after string, limit int) (last string) {
	f.Helper()
	f.write(func(tx store.Tx) (err error) {
		last, err = tx.EraseUserData(f.ctx, f.user.ID, after, start.Add(time.Hour), limit)
		return err
	})
	return last
}

func testEraseUserData(_ *testing.T, f fixture) {
	other := f.addUser(f.client)
	erasedBefore := start.Add(time.Minute)
	all := f.withData(6, func(i int, k *collection.Collection) {
		switch i {
		case 1:
			k.UserID = other.ID
		case 2:
			k.ErasedAt = erasedBefore
		case 3:
			k.Status = collection.Failed
		}
	})
	for _, k := range all { // an engine may cache the statuses
		f.checkCollectionStatus("before", store.CollectionView{Collection: k})
	}
	check(f, "first piece", f.erase("", 2), nil, all[2].ID)
	check(f, "second piece", f.erase(all[2].ID, 2), nil, all[4].ID)
	if !f.hasData(all[5].ID) {
		f.Error("a piece went over its limit")
	}
	check(f, "third piece", f.erase(all[4].ID, 2), nil, all[5].ID)
	check(f, "no more", f.erase(all[5].ID, 2), nil, "")
	check(f, "again from the beginning", f.erase("", 100), nil, all[5].ID)
	check(f, "a user without collections", func() (last string) {
		f.write(func(tx store.Tx) (err error) { last, err = tx.EraseUserData(f.ctx, newID(), "", start, 10); return err })
		return last
	}(), nil, "")
	for i, k := range all {
		got, err := f.s.Collection(f.ctx, k.ID)
		if i != 1 {
			if got.Rev <= k.Rev {
				f.Errorf("erased at version %d, and %d before", got.Rev, k.Rev)
			}
			k.Rev, k.Filter = got.Rev, nil
		}
		if i != 1 && i != 2 {
			k.ErasedAt = start.Add(time.Hour)
		}
		check(f, "collection", got, err, k)
		f.checkCollectionStatus("after", store.CollectionView{Collection: k})
		check(f, "has data", f.hasData(k.ID), nil, i == 1)
	}
	// A flow that has read a collection before must not bring its state back.
	f.fails(store.ErrConflict, func(tx store.Tx) error { _, err := tx.PutCollection(f.ctx, all[0]); return err })
}

// testEraseLetsOthersWrite erases 7 000 collections in pieces. Another writer
// waits for a piece, not for the whole. How many pieces end while it waits depends
// on the scheduler; half of them would mean that it was kept out.
func testEraseLetsOthersWrite(t *testing.T, f fixture) {
	const collections, piece = 7000, 100
	for range collections / 1000 {
		f.withData(1000, nil)
	}
	var pieces atomic.Int32 // that are committed
	erased := make(chan struct{})
	go func() {
		defer close(erased)
		for after := ""; ; {
			last := f.erase(after, piece)
			if pieces.Add(1); last == "" {
				return
			}
			after = last
		}
	}()
	var writes, slowest int
	var longest time.Duration
	for running := true; running; writes++ {
		select {
		case <-erased:
			running = false
		default:
		}
		before, begun := pieces.Load(), time.Now()
		f.addConsent(nil)
		slowest, longest = max(slowest, int(pieces.Load()-before)), max(longest, time.Since(begun))
	}
	t.Logf("%d writes beside %d pieces; the slowest took %v and saw %d pieces end", writes, pieces.Load(), longest, slowest)
	if want := int32(collections/piece + 1); pieces.Load() != want {
		t.Errorf("%d pieces, want %d", pieces.Load(), want)
	}
	if slowest > int(pieces.Load())/2 {
		t.Errorf("a write waited for %d of %d pieces", slowest, pieces.Load())
	}
	if writes < 10 {
		t.Errorf("%d writes beside the erasure", writes)
	}
}

// testEraseLocksOneUser writes beside a piece that is not committed. Only SQLite
// has one writer at a time.
func testEraseLocksOneUser(t *testing.T, f fixture) {
	if f.s.Kind() == "sqlite" {
		t.Skip("SQLite has one writer")
	}
	f.withData(10, nil)
	f.write(func(tx store.Tx) error {
		if _, err := tx.EraseUserData(f.ctx, f.user.ID, "", start, 10); err != nil {
			return err
		}
		beside := f
		beside.user = f.addUser(f.client)
		beside.withData(1, nil)
		beside.erase("", 10)
		f.addConsent(nil) // even of the same user
		return nil
	})
}

func testLiveRowsOfUser(_ *testing.T, f fixture) {
	other, foreign := f.addUser(f.client), f.addUser(f.addClient())
	var consents []consent.Consent
	for i, status := range append(consent.Statuses(), consent.Statuses()...) {
		c := f.addConsent(func(c *consent.Consent) {
			c.Status = status
			if i%2 == 0 {
				c.CollectionID = newID()
			}
		})
		if !status.Final() {
			consents = append([]consent.Consent{c}, consents...)
		}
		f.addConsent(func(c *consent.Consent) { c.Status, c.UserID = status, other.ID })
		f.addConsent(func(c *consent.Consent) { c.Status, c.ClientID, c.UserID = status, foreign.ClientID, foreign.ID })
	}
	got, err := f.s.LiveConsents(f.ctx, f.client.ID, f.user.ID, 100)
	check(f, "live consents", got, err, consents)
	got, err = f.s.LiveConsents(f.ctx, f.client.ID, f.user.ID, 2)
	check(f, "live consents, limited", got, err, consents[:2])

	var collections []collection.Collection
	for _, status := range collection.Statuses() {
		k := f.addCollection(func(k *collection.Collection) { k.Status = status })
		if !status.Terminal() {
			collections = append([]collection.Collection{k}, collections...)
		}
		f.addCollection(func(k *collection.Collection) { k.Status, k.UserID = status, other.ID })
		f.addCollection(func(k *collection.Collection) { k.Status, k.UserID = status, "" })
		f.addCollection(func(k *collection.Collection) {
			k.Status, k.ClientID, k.UserID = status, foreign.ClientID, foreign.ID
		})
	}
	for _, clientID := range []string{newID(), foreign.ClientID} {
		got, err := f.s.LiveConsents(f.ctx, clientID, f.user.ID, 100)
		check(f, "live consents of another client's user", len(got), err, 0)
		running, err := f.s.RunningCollections(f.ctx, clientID, f.user.ID, 100)
		check(f, "running collections of another client's user", len(running), err, 0)
	}
	running, err := f.s.RunningCollections(f.ctx, f.client.ID, f.user.ID, 100)
	check(f, "running collections", running, err, collections)
	running, err = f.s.RunningCollections(f.ctx, f.client.ID, f.user.ID, 3)
	check(f, "running collections, limited", running, err, collections[:3])
}
