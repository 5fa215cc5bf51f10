package collect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/parked"
	"samla/internal/store"
)

// park parks the rows of a queue that are due within a day.
func park(b *flowtest.Env, q store.Queue) {
	b.Helper()
	claimed, err := b.Store.Claim(b.Context(), q, b.Clock.Now().Add(24*time.Hour), time.Minute, store.ClaimLimit{Rows: 99})
	if err != nil || len(claimed) == 0 {
		b.Fatal(q, claimed, err)
	}
	for _, j := range claimed {
		if err := b.Store.ParkJob(b.Context(), q, j, b.Clock.Now(), "broken"); err != nil {
			b.Fatal(err)
		}
	}
}

// drop drops a parked row, and lets the server run until its queue is empty.
func drop(b *flowtest.Env, s *collect.Service, q store.Queue, id string, want parked.Outcome) {
	b.Helper()
	j, err := parked.Find(b.Context(), b.Store, q, id)
	if err != nil || j.Outcome != want || j.Refused != "" || j.Reason != "broken" {
		b.Fatalf("%+v, %v", j, err)
	}
	if o, err := parked.Drop(b.Context(), b.Store, q, id, b.Clock.Now()); o != want || err != nil {
		b.Fatal(o, err)
	}
	if _, err := parked.Drop(b.Context(), b.Store, q, id, b.Clock.Now()); !errors.Is(err, store.ErrNotFound) {
		b.Errorf("dropped twice: %v", err)
	}
	called := make(chan store.Queue, 99)
	s.Jobs.Trace = func(ctx context.Context, q store.Queue) (context.Context, func(error)) {
		return ctx, func(error) { called <- q }
	}
	s.Jobs.Start(b.Context())
	for of := range called {
		if of == q {
			break
		}
	}
	if err := s.Jobs.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// A job that is dropped leaves no flow that nobody ends.
func TestDrop_EndsTheFlow(t *testing.T) {
	for name, dsn := range map[string]func() string{"sqlite": t.TempDir, "postgres": func() string { return flowtest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) {
			b := newEnvOn(t, dsn())
			authorized := b.authorizedConsent()
			c := b.start(b.request(authorized, "192.0.2.7"))
			park(b.Env, store.Collections)
			drop(b.Env, b.Service, store.Collections, c.ID, parked.CollectionFails)
			b.wantEnded(b.row(c.ID), collection.Failed)
			if under, err := b.Store.Consent(t.Context(), authorized.ID); err != nil || under.Status != consent.Authorized {
				t.Errorf("the permission is %s, %v", under.Status, err)
			}

			b.Service = b.service()
			pending, err := b.consents.Draft(t.Context(), b.consentRequest())
			if err != nil {
				t.Fatal(err)
			}
			b.Write(func(tx store.Tx) error { return b.consents.Add(t.Context(), tx, pending) })
			park(b.Env, store.Consents)
			if j, err := parked.Find(t.Context(), b.Store, store.Consents, string(authorized.ID)); err != nil || j.Refused == "" {
				t.Errorf("an authorized permission: %+v, %v", j, err)
			}
			var refused *parked.RefusedError
			if _, err := parked.Drop(t.Context(), b.Store, store.Consents, string(authorized.ID), b.Clock.Now()); !errors.As(err, &refused) {
				t.Errorf("an authorized permission is dropped: %v", err)
			}
			drop(b.Env, b.Service, store.Consents, string(pending.ID), parked.ConsentFails)
			after, err := b.Store.Consent(t.Context(), pending.ID)
			if err != nil || after.Status != consent.Failed || after.Failure != consent.InternalError {
				t.Errorf("%s %s, %v", after.Status, after.Failure, err)
			}
		})
	}
}

func TestDrop_EndsALogin(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		c := b.start()
		b.want(b.step(c.ID), collection.Login)
		park(b.Env, store.Dialogues)
		drop(b.Env, b.Service, store.Dialogues, c.ID, parked.CollectionFails)
		b.want(b.row(c.ID), collection.Failed)
		if ended := b.deliver(); ended["session-1"] == "" {
			t.Errorf("the session is not ended: %v", ended)
		}
	})
}

// What somebody has dropped ends, also where another writer is faster than its last resort.
func TestDrop_EndsAFlowThatAnotherWriterChanges(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	park(b.Env, store.Collections)
	overtaken := false
	b.Service.Store = &flowtest.Overtaken{Store: b.Store, By: func() {
		overtaken = true
		b.Write(func(tx store.Tx) error {
			_, err := tx.PutCollection(t.Context(), b.row(c.ID))
			return err
		})
	}}
	drop(b.Env, b.Service, store.Collections, c.ID, parked.CollectionFails)
	if !overtaken {
		t.Error("no other writer was faster")
	}
	b.wantEnded(b.row(c.ID), collection.Failed)
}
