package sqlstore

import (
	"context"
	"errors"

	"samla/internal/idempotency"
	"samla/internal/store"
)

const (
	idempotencyColumns = `client_id, idem_key, request, started_at, ends_at, locked_until, done, user_id, status, sealed`

	// claimIdempotencyKey inserts a record, or replaces one that has expired.
	claimIdempotencyKey = `INSERT INTO idempotency (` + idempotencyColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (client_id, idem_key) DO UPDATE SET request = excluded.request, started_at = excluded.started_at,
ends_at = excluded.ends_at, locked_until = excluded.locked_until, done = excluded.done, user_id = excluded.user_id, status = excluded.status,
sealed = excluded.sealed WHERE idempotency.ends_at <= excluded.started_at`
)

func scanIdempotencyRecord(r rows) (idempotency.Record, error) {
	var i idempotency.Record
	var at, until, locked, done, status int64
	err := r.Scan(&i.ClientID, &i.Key, &i.Request, &at, &until, &locked, &done, &i.UserID, &status, &i.Sealed)
	i.StartedAt, i.ExpiresAt, i.LockedUntil = fromMicros(at), fromMicros(until), fromMicros(locked)
	i.Done, i.Status, i.Request, i.Sealed = done != 0, int(status), fromBlob(i.Request), fromBlob(i.Sealed)
	return i, err
}

// ClaimIdempotencyKey implements store.IdempotencyWriter.
func (t *tx) ClaimIdempotencyKey(ctx context.Context, r idempotency.Record) (idempotency.Record, error) {
	// Another transaction can delete the record that is in the way before it is
	// read. Then the claim is tried again.
	for {
		n, err := t.q.exec(ctx, claimIdempotencyKey, r.ClientID, r.Key, blob(r.Request), micros(r.StartedAt), micros(r.ExpiresAt),
			micros(r.LockedUntil), flag(r.Done), r.UserID, int64(r.Status), blob(r.Sealed))
		if err != nil {
			return idempotency.Record{}, err
		}
		if n > 0 {
			return r, nil
		}
		found, err := one(ctx, t.q, scanIdempotencyRecord,
			`SELECT `+idempotencyColumns+` FROM idempotency WHERE client_id = $1 AND idem_key = $2`, r.ClientID, r.Key)
		switch {
		case err == nil:
			return found, store.ErrExists
		case !errors.Is(err, store.ErrNotFound):
			return idempotency.Record{}, err
		}
	}
}

// CompleteIdempotencyKey implements store.IdempotencyWriter.
func (t *tx) CompleteIdempotencyKey(ctx context.Context, r idempotency.Record) error {
	n, err := t.q.exec(ctx, `UPDATE idempotency SET done = 1, user_id = $4, status = $5, sealed = $6
WHERE client_id = $1 AND idem_key = $2 AND started_at = $3 AND done = 0`,
		r.ClientID, r.Key, micros(r.StartedAt), r.UserID, int64(r.Status), blob(r.Sealed))
	return requireRow(n, err, store.ErrConflict)
}

// ReleaseIdempotencyKey implements store.IdempotencyWriter.
func (t *tx) ReleaseIdempotencyKey(ctx context.Context, r idempotency.Record) error {
	return t.q.execLater(ctx, `DELETE FROM idempotency WHERE client_id = $1 AND idem_key = $2 AND started_at = $3 AND done = 0`,
		r.ClientID, r.Key, micros(r.StartedAt))
}

// EraseIdempotencyKeys implements store.IdempotencyWriter.
func (t *tx) EraseIdempotencyKeys(ctx context.Context, clientID, userID string, limit int) (int, error) {
	n, err := t.q.exec(ctx, `DELETE FROM idempotency WHERE (client_id, idem_key) IN
(SELECT client_id, idem_key FROM idempotency WHERE client_id = $1 AND user_id = $2 AND user_id <> '' LIMIT $3 + 0)`, clientID, userID, int64(limit))
	return int(n), err
}
