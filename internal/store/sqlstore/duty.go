package sqlstore

import (
	"context"

	"samla/internal/store"
)

const dutyColumns = `id, kind, company, consent_id, created_at, attempts, sealed, wake_at`

func scanDuty(r rows) (store.Duty, error) {
	var d store.Duty
	var created, attempts, wake int64
	err := r.Scan(&d.ID, (*string)(&d.Kind), &d.Company, &d.ConsentID, &created, &attempts, &d.Sealed, &wake)
	d.CreatedAt, d.Attempts, d.Sealed, d.WakeAt = moment(created), int(attempts), bytes(d.Sealed), moment(wake)
	return d, err
}

// Duty implements store.Reader.
func (r reader) Duty(ctx context.Context, id string) (store.Duty, error) {
	return one(ctx, r.q, scanDuty, `SELECT `+dutyColumns+` FROM duties WHERE id = $1`, id)
}

// AddDuty implements store.Tx.
func (t *tx) AddDuty(ctx context.Context, d store.Duty) error {
	n, err := t.q.exec(ctx, `INSERT INTO duties (`+dutyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
		d.ID, string(d.Kind), d.Company, d.ConsentID, micros(d.CreatedAt), int64(d.Attempts), blob(d.Sealed), micros(d.WakeAt))
	return must(n, err, store.ErrExists)
}

// UpdateDuty implements store.Tx. What a duty is about never changes.
func (t *tx) UpdateDuty(ctx context.Context, d store.Duty) error {
	n, err := t.q.exec(ctx, `UPDATE duties SET attempts = $2, sealed = $3, wake_at = $4 WHERE id = $1`,
		d.ID, int64(d.Attempts), blob(d.Sealed), micros(d.WakeAt))
	return must(n, err, store.ErrNotFound)
}

// DeleteDuty implements store.Tx.
func (t *tx) DeleteDuty(ctx context.Context, id string) error {
	n, err := t.q.exec(ctx, `DELETE FROM duties WHERE id = $1`, id)
	return must(n, err, store.ErrNotFound)
}
