package store

import (
	"context"

	"samla/internal/outbox"
)

// OutboxReader reads outbox messages.
type OutboxReader interface {
	OutboxMessage(ctx context.Context, id string) (outbox.Message, error)
}

// OutboxWriter writes outbox messages.
type OutboxWriter interface {
	// AddOutboxMessage stores a message. Errors: ErrExists when the id is taken.
	AddOutboxMessage(ctx context.Context, m outbox.Message) error
	// PutOutboxMessage stores the attempts, payload and time of a message. What a
	// message is about never changes. Errors: ErrNotFound.
	PutOutboxMessage(ctx context.Context, m outbox.Message) error
	// DeleteOutboxMessage deletes a message. Errors: ErrNotFound.
	DeleteOutboxMessage(ctx context.Context, id string) error
}
