package sqlstore

import (
	"context"

	"samla/internal/outbox"
	"samla/internal/store"
)

const outboxColumns = `id, kind, company, consent_id, created_at, attempts, sealed, wake_at`

func scanMessage(r rows) (outbox.Message, error) {
	var m outbox.Message
	var created, attempts, wake int64
	err := r.Scan(&m.ID, (*string)(&m.Kind), &m.Company, (*string)(&m.ConsentID), &created, &attempts, &m.Sealed, &wake)
	m.CreatedAt, m.Attempts, m.Sealed, m.WakeAt = fromMicros(created), int(attempts), fromBlob(m.Sealed), fromMicros(wake)
	return m, err
}

// OutboxMessage implements store.OutboxReader.
func (r reader) OutboxMessage(ctx context.Context, id string) (outbox.Message, error) {
	return one(ctx, r.q, scanMessage, `SELECT `+outboxColumns+` FROM duties WHERE id = $1`, id)
}

// AddOutboxMessage implements store.OutboxWriter.
func (t *tx) AddOutboxMessage(ctx context.Context, m outbox.Message) error {
	n, err := t.q.exec(ctx, `INSERT INTO duties (`+outboxColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		m.ID, string(m.Kind), m.Company, string(m.ConsentID), micros(m.CreatedAt), int64(m.Attempts), blob(m.Sealed), micros(m.WakeAt))
	return requireRow(n, err, store.ErrExists)
}

// PutOutboxMessage implements store.OutboxWriter.
func (t *tx) PutOutboxMessage(ctx context.Context, m outbox.Message) error {
	n, err := t.q.exec(ctx, `UPDATE duties SET attempts = $2, sealed = $3, wake_at = $4, job_attempts = 0, job_error = '', parked_at = 0 WHERE id = $1`,
		m.ID, int64(m.Attempts), blob(m.Sealed), micros(m.WakeAt))
	return requireRow(n, err, store.ErrNotFound)
}

// DeleteOutboxMessage implements store.OutboxWriter.
func (t *tx) DeleteOutboxMessage(ctx context.Context, id string) error {
	n, err := t.q.exec(ctx, `DELETE FROM duties WHERE id = $1`, id)
	return requireRow(n, err, store.ErrNotFound)
}
