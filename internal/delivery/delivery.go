// Package delivery carries out outbox messages: it reads each message that is due
// and passes it to the handler of its kind. The owner of a kind does the work, and
// deletes the message in the transaction that records the success.
package delivery

import (
	"context"
	"errors"
	"fmt"

	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/store"
)

// workers is how many messages one node carries out at once, half of them to one bank.
const workers = 64

// errParked parks a message.
var errParked = errors.New("delivery: its handler has failed too often")

// Store is the part of a store that deliveries need.
type Store interface {
	store.OutboxReader
	store.Transactor
}

// Handler carries out one message. It ends within jobs.Budget, and may run twice
// or on two nodes at once. A message that it neither deletes nor makes due later
// is passed to it again after a back-off.
type Handler func(ctx context.Context, m outbox.Message) error

// Queue returns the job queue of the outbox with a handler for each kind of
// message. A message whose effect is at an institution or an erasure is never given up here:
// its handler parks one that only an operator can help (jobs.Park). One that concerns only what
// is stored here is parked when its handler has failed too often: it waits for an operator, who
// can drop it. Error: a kind without a handler.
func Queue(s Store, handlers map[outbox.Kind]Handler) (jobs.Queue, error) {
	for _, kind := range outbox.Kinds() {
		if handlers[kind] == nil {
			return jobs.Queue{}, fmt.Errorf("delivery: nothing carries out outbox messages of kind %s", kind)
		}
	}
	return jobs.Queue{Name: store.Outbox, Workers: workers, LastResort: func(ctx context.Context, id string) error {
		m, err := s.OutboxMessage(ctx, id)
		if err != nil || m.Kind != outbox.ApplyCollection {
			return jobs.ErrKeepTrying
		}
		if !jobs.Dropped(ctx) {
			return errParked
		}
		err = s.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, id) })
		if errors.Is(err, store.ErrNotFound) {
			return nil // it was carried out
		}
		return err
	}, Handle: func(ctx context.Context, id string) error {
		m, err := s.OutboxMessage(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil // another node has carried it out
		}
		if err != nil {
			return err
		}
		handle := handlers[m.Kind]
		if handle == nil { // a newer version of this server on another node has stored it
			return fmt.Errorf("delivery: unknown kind of outbox message: %s", m.Kind)
		}
		return handle(ctx, m)
	}}, nil
}
