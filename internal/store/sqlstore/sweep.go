package sqlstore

import (
	"context"
	"time"

	"samla/internal/event"
)

const (
	sweepRows        = 1000 // of each table, in one call
	sweepCollections = 60   // looked at by one statement
)

// Sweep implements store.Eraser.
func (t *tx) Sweep(ctx context.Context, now time.Time, keepEvidence time.Duration) (int, []string, error) {
	expired, err := t.q.exec(ctx, `DELETE FROM idempotency WHERE (client_id, idem_key) IN
(SELECT client_id, idem_key FROM idempotency WHERE ends_at <= $1 ORDER BY ends_at LIMIT $2 + 0)`, micros(now), int64(sweepRows))
	if err != nil {
		return 0, nil, err
	}
	old, err := t.q.exec(ctx, `DELETE FROM evidence WHERE id IN
(SELECT id FROM evidence WHERE happened_at < $1 ORDER BY happened_at LIMIT $2 + 0)`, micros(now.Add(-keepEvidence)), int64(sweepRows))
	if err != nil {
		return 0, nil, err
	}
	events, err := t.sweepEvents(ctx, now.Add(-event.Kept))
	if err != nil {
		return 0, nil, err
	}
	calls, err := t.sweepCalls(ctx, now)
	if err != nil {
		return 0, nil, err
	}
	visits, err := t.sweepVisits(ctx, now)
	if err != nil {
		return 0, nil, err
	}
	signIns, err := t.sweepOperators(ctx, now)
	if err != nil {
		return 0, nil, err
	}
	data, subjects, err := t.sweepData(ctx, now)
	return int(expired + old + events + calls + visits + signIns + data), subjects, err
}

// expired is a collection whose data is past its time.
type expired struct {
	id      string
	subject string // of the data key that goes with the data; "" = a user's, which stays
}

func scanExpired(r rows) (e expired, err error) {
	var user string
	if err = r.Scan(&e.id, &user); user == "" {
		e.subject = e.id
	}
	return e, err
}

// sweepData deletes what is past its collection's DataUntil. Collections are
// marked when their data is deleted, so that the next sweep does not read them.
func (t *tx) sweepData(ctx context.Context, now time.Time) (deleted int64, subjects []string, err error) {
	for range sweepRows / sweepCollections {
		found, err := list(ctx, t.q, scanExpired, `SELECT id, COALESCE(user_id, '') FROM collections WHERE keep_until > 0 AND keep_until <= $1
ORDER BY keep_until LIMIT $2 + 0`+t.locks.skipLocked, micros(now), int64(sweepCollections))
		if err != nil || len(found) == 0 {
			return deleted, subjects, err
		}
		ids := make([]string, len(found))
		var ownerless []string
		for i, e := range found {
			ids[i] = e.id
			if e.subject == "" {
				continue
			}
			if err := t.destroyDataKey(ctx, e.subject, now); err != nil {
				return deleted, subjects, err
			}
			ownerless = append(ownerless, e.subject)
		}
		if err := t.eraseAccounts(ctx, ownerless); err != nil {
			return deleted, subjects, err
		}
		subjects = append(subjects, ownerless...)
		in, args := inList(1, &ids)
		n, err := t.deleteData(ctx, in, args)
		if err != nil {
			return deleted, subjects, err
		}
		deleted += n
		if err := t.q.execLater(ctx, `UPDATE collections SET keep_until = 0 WHERE id `+in, args...); err != nil {
			return deleted, subjects, err
		}
		if deleted >= sweepRows {
			break
		}
	}
	return deleted, subjects, nil
}
