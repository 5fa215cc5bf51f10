package parked_test

import (
	"errors"
	"testing"
	"time"

	"samla/internal/flowtest"
	"samla/internal/outbox"
	"samla/internal/parked"
	"samla/internal/store"
)

// Of what has an effect outside, or erases, nothing is dropped.
func TestDrop_RefusesWhatHasToBeDone(t *testing.T) {
	for name, dsn := range map[string]func() string{"sqlite": t.TempDir, "postgres": func() string { return flowtest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) {
			b := flowtest.New(t, dsn())
			now := b.Clock.Now()
			for _, kind := range append(outbox.Kinds(), "FROM_A_NEWER_VERSION") {
				m := outbox.Message{ID: b.IDs.New(), Kind: kind, CreatedAt: now, WakeAt: now}
				b.Write(func(tx store.Tx) error { return tx.AddOutboxMessage(t.Context(), m) })
				if _, err := parked.Drop(t.Context(), b.Store, store.Outbox, m.ID, now); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s is dropped before it is parked: %v", kind, err)
				}
				claimed, err := b.Store.Claim(t.Context(), store.Outbox, now, time.Minute, store.ClaimLimit{Rows: 1})
				if err != nil || len(claimed) != 1 {
					t.Fatal(claimed, err)
				}
				if err := b.Store.ParkJob(t.Context(), store.Outbox, claimed[0], now, "broken"); err != nil {
					t.Fatal(err)
				}
				outcome, err := parked.Drop(t.Context(), b.Store, store.Outbox, m.ID, now)
				var refused *parked.RefusedError
				if can := kind == outbox.ApplyCollection; can != (err == nil && outcome == parked.NotApplied && outcome.Says() != "") || !can && !errors.As(err, &refused) {
					t.Errorf("%s: %q, %v", kind, outcome, err)
				}
				if kind == outbox.ApplyCollection { // no server runs here
					b.Write(func(tx store.Tx) error { return tx.DeleteOutboxMessage(t.Context(), m.ID) })
				}
			}
			for _, q := range store.Queues() {
				if _, err := parked.Find(t.Context(), b.Store, q, "none"); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %v", q, err)
				}
			}
		})
	}
}
