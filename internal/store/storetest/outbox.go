package storetest

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/store"
)

func testOutbox(_ *testing.T, f fixture) {
	m := outbox.Message{ID: newID(), Kind: outbox.RevokeConsent, Company: "testbank", ConsentID: consent.ID(newID()), CreatedAt: start,
		Attempts: 1, Sealed: []byte{9, 0}, WakeAt: start.Add(time.Minute)}
	f.write(func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, m) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddOutboxMessage(f.ctx, m) })
	got, err := f.s.OutboxMessage(f.ctx, m.ID)
	check(f, "message", got, err, m)
	m.Attempts, m.Sealed, m.WakeAt = 2, nil, time.Time{}
	f.write(func(tx store.Tx) error { return tx.PutOutboxMessage(f.ctx, m) })
	got, err = f.s.OutboxMessage(f.ctx, m.ID)
	check(f, "updated", got, err, m)
	f.write(func(tx store.Tx) error { return tx.DeleteOutboxMessage(f.ctx, m.ID) })
	_, err = f.s.OutboxMessage(f.ctx, m.ID)
	missing(f, "deleted", got, err)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.PutOutboxMessage(f.ctx, m) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteOutboxMessage(f.ctx, m.ID) })
}
