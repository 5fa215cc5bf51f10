package storetest

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

func testCollections(_ *testing.T, f fixture) {
	full := f.addCollection(nil)
	got, err := f.s.Collection(f.ctx, full.ID)
	check(f, "every member", got, err, full)

	bare := collection.Collection{ID: newID(), ClientID: f.client.ID, Filter: []string{}}
	f.write(func(tx store.Tx) error { return tx.AddCollection(f.ctx, bare) })
	got, err = f.s.Collection(f.ctx, bare.ID)
	check(f, "no member", got, err, bare)
	_, err = f.s.Collection(f.ctx, newID())
	missing(f, "no such collection", got, err)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddCollection(f.ctx, bare) })

	full.ConsentID, full.LoginMethod, full.Mode, full.Attended, full.Filter = consent.ID(newID()), "OTHER", collection.OneTime, false, nil
	full.Status, full.StatusChangedAt, full.Sealed, full.WakeAt = collection.Failed, start.Add(time.Hour), nil, time.Time{}
	full.DataUntil, full.ErasedAt, full.Mapping = time.Time{}, time.Time{}, 3001
	after := full
	after.Rev++
	polledLater := full
	polledLater.PolledAt = start.Add(time.Hour)
	f.write(func(tx store.Tx) error {
		_, err := tx.PutCollection(f.ctx, polledLater)
		return err
	})
	got, err = f.s.Collection(f.ctx, full.ID)
	check(f, "updated, except when it was polled", got, err, after)
}

func testUnattendedSince(_ *testing.T, f fixture) {
	id := newID()
	var want []time.Time
	for i := range 6 {
		at := start.Add(time.Duration(5-i) * time.Minute) // stored out of order
		f.addCollection(func(k *collection.Collection) { k.ConsentID, k.Attended, k.CreatedAt = consent.ID(id), i == 3, at })
		if i != 3 && i != 5 { // 5 began at the moment itself, which is not after it
			want = append([]time.Time{at}, want...)
		}
	}
	f.addCollection(func(k *collection.Collection) { k.Attended, k.CreatedAt = false, start.Add(time.Minute) })
	got, err := f.s.UnattendedSince(f.ctx, consent.ID(id), start)
	check(f, "background refreshes", got, err, want)
	of, err := f.s.UnattendedUnder(f.ctx, []consent.ID{consent.ID(newID()), consent.ID(id), "no id\x00"}, start)
	check(f, "by consent", of, err, map[consent.ID][]time.Time{consent.ID(id): want})
	got, err = f.s.UnattendedSince(f.ctx, consent.ID(newID()), start)
	check(f, "refreshes of no consent", len(got), err, 0)
}

func testWakeCollection(_ *testing.T, f fixture) {
	now := start.Add(time.Hour)
	for _, test := range []struct {
		what        string
		wakes, want time.Time
	}{
		{"one that waits", now.Add(time.Hour), now},
		{"one that is due already", now.Add(-time.Minute), now.Add(-time.Minute)},
		{"one that never wakes", time.Time{}, time.Time{}},
	} {
		k := f.addCollection(func(k *collection.Collection) { k.WakeAt = test.wakes })
		f.write(func(tx store.Tx) error { return tx.WakeCollection(f.ctx, k.ID, now) })
		k.WakeAt = test.want
		got, err := f.s.Collection(f.ctx, k.ID)
		check(f, test.what, got, err, k)
	}
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.WakeCollection(f.ctx, newID(), now) })
}

func testRecordPoll(_ *testing.T, f fixture) {
	k := f.addCollection(nil)
	late := k.PolledAt.Add(time.Minute)
	for _, at := range []time.Time{late, late.Add(-time.Second), k.PolledAt} {
		f.write(func(tx store.Tx) error { return tx.RecordPoll(f.ctx, k.ID, at) })
	}
	k.PolledAt = late
	got, err := f.s.Collection(f.ctx, k.ID)
	check(f, "polled", got, err, k)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.RecordPoll(f.ctx, newID(), late) })
}
