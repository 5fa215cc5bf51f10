package delivery_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"samla/internal/delivery"
	"samla/internal/flowtest"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/store"
)

func TestQueue_PassesMessageToHandlerOfItsKind(t *testing.T) {
	env := flowtest.New(t, t.TempDir())
	failed := errors.New("failed")
	handled := map[outbox.Kind]string{}
	handlers := map[outbox.Kind]delivery.Handler{}
	for _, kind := range outbox.Kinds() {
		handlers[kind] = func(_ context.Context, m outbox.Message) error {
			handled[kind] = m.ID
			return failed
		}
	}
	q, err := delivery.Queue(env.Store, handlers)
	if err != nil || q.Name != store.Outbox {
		t.Fatalf("%+v, %v", q, err)
	}
	add := func(kind outbox.Kind) string {
		m := outbox.Message{ID: env.IDs.New(), Kind: kind, CreatedAt: env.Clock.Now(), WakeAt: env.Clock.Now()}
		env.Write(func(tx store.Tx) error { return tx.AddOutboxMessage(t.Context(), m) })
		return m.ID
	}
	for _, kind := range outbox.Kinds() {
		id := add(kind)
		if err := q.Handle(t.Context(), id); !errors.Is(err, failed) || handled[kind] != id {
			t.Errorf("%s: %v, %v", kind, handled, err)
		}
	}
	if err := q.Handle(t.Context(), add("FROM_A_NEWER_VERSION")); err == nil || errors.Is(err, failed) {
		t.Errorf("unknown kind: %v", err)
	}
	for kind, keep := range map[outbox.Kind]bool{outbox.RevokeConsent: true, outbox.EraseUser: true, outbox.EndLogin: true, outbox.ApplyCollection: false} {
		if err := q.LastResort(t.Context(), add(kind)); err == nil || errors.Is(err, jobs.ErrKeepTrying) != keep {
			t.Errorf("%s is given up with %v", kind, err)
		}
	}
	if err := q.Handle(t.Context(), env.IDs.New()); err != nil {
		t.Errorf("deleted message: %v", err)
	}
}

func TestQueue_NeedsHandlerForEachKind(t *testing.T) {
	for _, missing := range outbox.Kinds() {
		handlers := map[outbox.Kind]delivery.Handler{}
		for _, kind := range outbox.Kinds() {
			if kind != missing {
				handlers[kind] = func(context.Context, outbox.Message) error { return nil }
			}
		}
		if _, err := delivery.Queue(nil, handlers); err == nil {
			t.Errorf("without %s: no error", missing)
		}
	}
}

// What somebody has dropped of the kind that can be dropped is deleted; nothing else is.
func TestQueue_DeletesWhatIsDropped(t *testing.T) {
	env := flowtest.New(t, t.TempDir())
	handlers := map[outbox.Kind]delivery.Handler{}
	handled := make(chan string, 10)
	for _, kind := range outbox.Kinds() {
		handlers[kind] = func(_ context.Context, m outbox.Message) error {
			defer func() { handled <- m.ID }()
			m.WakeAt = time.Time{}
			return env.Store.Write(t.Context(), func(tx store.Tx) error { return tx.PutOutboxMessage(t.Context(), m) })
		}
	}
	q, err := delivery.Queue(env.Store, handlers)
	if err != nil {
		t.Fatal(err)
	}
	now := env.Clock.Now()
	of := map[outbox.Kind]string{}
	for _, kind := range []outbox.Kind{outbox.ApplyCollection, outbox.RevokeConsent} {
		of[kind] = env.IDs.New()
		env.Write(func(tx store.Tx) error {
			return tx.AddOutboxMessage(t.Context(), outbox.Message{ID: of[kind], Kind: kind, CreatedAt: now, WakeAt: now})
		})
	}
	claimed, err := env.Store.Claim(t.Context(), store.Outbox, now, time.Minute, store.ClaimLimit{Rows: 9})
	if err != nil || len(claimed) != 2 {
		t.Fatal(claimed, err)
	}
	for _, j := range claimed {
		if err := errors.Join(env.Store.ParkJob(t.Context(), store.Outbox, j, now, "broken"), env.Store.DropJob(t.Context(), store.Outbox, j.ID, now)); err != nil {
			t.Fatal(err)
		}
	}
	runner := jobs.New(env.Store, env.Clock, slog.New(slog.DiscardHandler))
	runner.Register(q)
	runner.Start(t.Context())
	if id := <-handled; id != of[outbox.RevokeConsent] {
		t.Errorf("the handler had %s", id)
	}
	if err := runner.Stop(context.Background()); err != nil { // after all that was begun
		t.Fatal(err)
	}
	if _, err := env.Store.OutboxMessage(t.Context(), of[outbox.ApplyCollection]); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the dropped message: %v", err)
	}
	if _, err := env.Store.OutboxMessage(t.Context(), of[outbox.RevokeConsent]); err != nil {
		t.Errorf("the message to the institution: %v", err)
	}
}
