package sqlstore

import (
	"context"

	"samla/internal/outbox"
	"samla/internal/store"
)

const dutyColumns = `id, kind, company, consent_id, created_at, attempts, sealed, wake_at`

func scanDuty(r rows) (outbox.Message, error) {
	var d outbox.Message
	var created, attempts, wake int64
	err := r.Scan(&d.ID, (*string)(&d.Kind), &d.Company, (*string)(&d.ConsentID), &created, &attempts, &d.Sealed, &wake)
	d.CreatedAt, d.Attempts, d.Sealed, d.WakeAt = moment(created), int(attempts), fromBlob(d.Sealed), moment(wake)
	return d, err
}

// OutboxMessage implements store.Reader.
func (r reader) OutboxMessage(ctx context.Context, id string) (outbox.Message, error) {
	return one(ctx, r.q, scanDuty, `SELECT `+dutyColumns+` FROM duties WHERE id = $1`, id)
}

// AddOutboxMessage implements store.Tx.
func (t *tx) AddOutboxMessage(ctx context.Context, d outbox.Message) error {
	n, err := t.q.exec(ctx, `INSERT INTO duties (`+dutyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		d.ID, string(d.Kind), d.Company, string(d.ConsentID), micros(d.CreatedAt), int64(d.Attempts), blob(d.Sealed), micros(d.WakeAt))
	return must(n, err, store.ErrExists)
}

// PutOutboxMessage implements store.Tx. What a duty is about never changes.
func (t *tx) PutOutboxMessage(ctx context.Context, d outbox.Message) error {
	n, err := t.q.exec(ctx, `UPDATE duties SET attempts = $2, sealed = $3, wake_at = $4, job_attempts = 0, job_error = '', parked_at = 0 WHERE id = $1`,
		d.ID, int64(d.Attempts), blob(d.Sealed), micros(d.WakeAt))
	return must(n, err, store.ErrNotFound)
}

// DeleteOutboxMessage implements store.Tx.
func (t *tx) DeleteOutboxMessage(ctx context.Context, id string) error {
	n, err := t.q.exec(ctx, `DELETE FROM duties WHERE id = $1`, id)
	return must(n, err, store.ErrNotFound)
}
