// Package flowtest owns the ground that the tests of the flows stand on: a real
// store with one user, a vault, and a clock that stands still. It hands them to
// the tests of authorize and collect, which put their service and their scripted
// bank on top.
package flowtest

import (
	"context"
	"crypto/rand"
	"runtime"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
	"samla/internal/uuid7"
)

// Morning is where the clock stands at first.
var Morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// Bench is what a flow works with. A test may put a store of its own in the
// place of Store.
type Bench struct {
	testing.TB
	Store store.Store
	Vault *keyset.Vault
	Clock *clock.Manual
	IDs   *uuid7.Generator
	User  user.User // is stored, and so is their client
}

// New makes a bench over a database, given as sqlstore.Config has it.
func New(tb testing.TB, database string) *Bench {
	tb.Helper()
	b := &Bench{TB: tb, Store: Open(tb, database), Clock: clock.NewManual(Morning)}
	master, err := keyset.NewMaster()
	if err != nil {
		tb.Fatal(err)
	}
	if b.Vault, err = keyset.New(master, b.Store, b.Clock); err != nil {
		tb.Fatal(err)
	}
	b.IDs = uuid7.NewGenerator(b.Clock, rand.Reader)
	b.User = user.User{ID: b.IDs.New(), ClientID: b.IDs.New(), ExternalID: "customer", CreatedAt: Morning, UpdatedAt: Morning}
	b.Write(func(tx store.Tx) error {
		if err := tx.AddClient(tb.Context(), client.Client{ID: b.User.ClientID, Name: "acme", CreatedAt: Morning}); err != nil {
			return err
		}
		return tx.AddUser(tb.Context(), b.User)
	})
	return b
}

// Open opens a store that is closed with the test.
func Open(tb testing.TB, database string) store.Store {
	tb.Helper()
	s, err := sqlstore.Open(tb.Context(), sqlstore.Config{DSN: database})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// Write runs a transaction, which must succeed.
func (b *Bench) Write(fn func(store.Tx) error) {
	b.Helper()
	if err := b.Store.Write(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

// Consent reads a consent's row.
func (b *Bench) Consent(id consent.ID) consent.Consent {
	b.Helper()
	c, err := b.Store.Consent(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// Look drives one step, which must succeed.
func (b *Bench) Look(step func(context.Context, string) error, id string) {
	b.Helper()
	if err := b.Drive(b.Context(), step, id); err != nil {
		b.Fatal(err)
	}
}

// Drive takes one step of a flow with a row and moves the clock whenever the
// flow waits for it.
func (b *Bench) Drive(ctx context.Context, step func(context.Context, string) error, id string) error {
	done := make(chan error, 1)
	go func() { done <- step(ctx, id) }()
	for {
		select {
		case err := <-done:
			return err
		default:
			if b.Clock.Waiting() > 0 {
				b.Clock.Advance(100 * time.Millisecond)
			}
			runtime.Gosched()
		}
	}
}
