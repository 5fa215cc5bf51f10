package delivery_test

import (
	"context"
	"errors"
	"testing"

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
