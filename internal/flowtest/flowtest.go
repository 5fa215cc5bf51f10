// Package flowtest sets up what the tests of authorize and collect have in common: a
// real store with one user, a vault, and a manual clock. The tests add their service
// and a scripted bank.
package flowtest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"math"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/uuid7"
)

// Start is the initial time of the clock.
var Start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// Env is what a service needs to run a flow. A test may replace Store.
type Env struct {
	testing.TB
	Store store.Store
	Vault *keyset.Vault
	Clock *clock.Manual
	IDs   *uuid7.Generator
	User  user.User // stored, together with its client

	master *keyset.Master
}

// New returns an Env with the database of this DSN (sqlstore.Config.DSN).
func New(tb testing.TB, database string) *Env {
	tb.Helper()
	b := &Env{TB: tb, Store: Open(tb, database), Clock: clock.NewManual(Start)}
	var err error
	if b.master, err = keyset.NewMaster(); err != nil {
		tb.Fatal(err)
	}
	b.Vault = b.vault()
	b.IDs = uuid7.NewGenerator(b.Clock, rand.Reader)
	b.User = user.User{ID: b.IDs.New(), ClientID: b.IDs.New(), ExternalID: "customer", CreatedAt: Start, UpdatedAt: Start}
	b.Write(func(tx store.Tx) error {
		if err := tx.AddClient(tb.Context(), client.Client{ID: b.User.ClientID, Name: "acme", CreatedAt: Start}); err != nil {
			return err
		}
		return tx.AddUser(tb.Context(), b.User)
	})
	return b
}

// Node returns another node on the same database: it shares everything but the
// data keys in memory.
func (b *Env) Node() *Env {
	b.Helper()
	node := *b
	node.Vault = b.vault()
	return &node
}

func (b *Env) vault() *keyset.Vault {
	b.Helper()
	v, err := keyset.New(b.master, b.Store, b.Clock)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// AddUser stores another user of the same client.
func (b *Env) AddUser(externalID string) user.User {
	b.Helper()
	now := b.Clock.Now()
	u := user.User{ID: b.IDs.New(), ClientID: b.User.ClientID, ExternalID: externalID, CreatedAt: now, UpdatedAt: now}
	if err := b.Store.CreateUser(b.Context(), u); err != nil {
		b.Fatal(err)
	}
	return u
}

// Write runs a transaction and fails the test on an error.
func (b *Env) Write(fn func(store.Tx) error) {
	b.Helper()
	if err := b.Store.Write(b.Context(), fn); err != nil {
		b.Fatal(err)
	}
}

// Told lists the types of the events of a consent or collection, in their order, each
// followed by the status in its body.
func (b *Env) Told(resource string) (told []string) {
	b.Helper()
	b.Write(func(tx store.Tx) error {
		_, err := tx.SequenceEvents(b.Context(), b.Clock.Now(), math.MaxInt32)
		return err
	})
	all, err := b.Store.Events(b.Context(), store.EventFilter{ClientID: b.User.ClientID}, math.MaxInt32)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range all {
		if e.Resource != resource {
			continue
		}
		var body struct{ Status string }
		if err := json.Unmarshal(e.Body, &body); err != nil {
			b.Fatal(err)
		}
		told = append(told, string(e.Type)+" "+body.Status)
	}
	return told
}

// Consent returns a stored consent.
func (b *Env) Consent(id consent.ID) consent.Consent {
	b.Helper()
	c, err := b.Store.Consent(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// MustRun is like Run but fails the test on an error.
func (b *Env) MustRun(step func(context.Context, string) error, id string) {
	b.Helper()
	if err := b.Run(b.Context(), step, id); err != nil {
		b.Fatal(err)
	}
}

// Run calls a job's step function for the row with this id. It advances the clock
// while the step waits for it.
func (b *Env) Run(ctx context.Context, step func(context.Context, string) error, id string) error {
	b.Helper()
	done := make(chan error, 1)
	go func() { done <- step(ctx, id) }()
	return clocktest.Advance(b.TB, "the end of the step", b.Clock, 100*time.Millisecond, done)
}
