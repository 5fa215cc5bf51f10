package sqlstore

import (
	"context"
	"time"
)

const (
	sweepRows        = 1000 // of each table, in one call
	sweepCollections = 60   // looked at by one statement
)

// Sweep implements store.Tx.
func (t *tx) Sweep(ctx context.Context, now time.Time, keepEvidence time.Duration) (int, error) {
	expired, err := t.q.exec(ctx, `DELETE FROM idempotency WHERE (client_id, idem_key) IN
(SELECT client_id, idem_key FROM idempotency WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2)`, micros(now), int64(sweepRows))
	if err != nil {
		return 0, err
	}
	old, err := t.q.exec(ctx, `DELETE FROM evidence WHERE id IN
(SELECT id FROM evidence WHERE happened_at < $1 ORDER BY happened_at LIMIT $2)`, micros(now.Add(-keepEvidence)), int64(sweepRows))
	if err != nil {
		return 0, err
	}
	data, err := t.sweepData(ctx, now)
	return int(expired + old + data), err
}

// sweepData deletes what is past its collection's DataUntil. Collections are
// marked when their data is gone, so that the next sweep does not see them again.
func (t *tx) sweepData(ctx context.Context, now time.Time) (int64, error) {
	var deleted int64
	for range sweepRows / sweepCollections {
		ids, err := list(ctx, t.q, column[string], `SELECT id FROM collections WHERE keep_until > 0 AND keep_until <= $1
ORDER BY keep_until LIMIT $2`+t.locks.free, micros(now), int64(sweepCollections))
		if err != nil || len(ids) == 0 {
			return deleted, err
		}
		in, args := inList(1, &ids)
		n, err := t.deleteData(ctx, in, args)
		if err != nil {
			return deleted, err
		}
		deleted += n
		if err := t.q.later(ctx, `UPDATE collections SET keep_until = 0 WHERE id `+in, args...); err != nil {
			return deleted, err
		}
		if deleted >= sweepRows {
			break
		}
	}
	return deleted, nil
}
