package sqlstore

import (
	"context"
	"time"

	"samla/internal/outbox"
)

// EraseData implements store.Eraser.
func (t *tx) EraseData(ctx context.Context, collectionID string) error {
	_, err := t.deleteData(ctx, `= $1`, []any{collectionID})
	return err
}

// deleteData deletes raw answers and products of the collections that a condition
// with its arguments selects, and what is left to apply of them, and returns how many raw
// answers and products there were.
func (t *tx) deleteData(ctx context.Context, condition string, args []any) (int64, error) {
	raws, err := t.q.exec(ctx, `DELETE FROM raws WHERE collection_id `+condition, args...)
	if err != nil {
		return 0, err
	}
	products, err := t.q.exec(ctx, `DELETE FROM products WHERE collection_id `+condition, args...)
	if err != nil {
		return 0, err
	}
	_, err = t.q.exec(ctx, `DELETE FROM duties WHERE kind = '`+string(outbox.ApplyCollection)+`' AND id `+condition, args...)
	return raws + products, err
}

// EraseUserData implements store.Eraser. It locks the collections before it deletes
// their data. It so waits for a flow that is about to complete one of them, and
// then sees the products of the flow.
func (t *tx) EraseUserData(ctx context.Context, userID, after string, now time.Time, limit int) (string, error) {
	ids, err := list(ctx, t.q, column[string],
		`SELECT id FROM collections WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3 + 0`+t.locks.forUpdate, userID, after, int64(limit))
	if err != nil || len(ids) == 0 {
		return "", err
	}
	if err := t.eraseAccounts(ctx, ids); err != nil {
		return "", err
	}
	for rest := ids; len(rest) > 0; {
		same := rest
		in, args := inList(1, &rest)
		if _, err := t.deleteData(ctx, in, args); err != nil {
			return "", err
		}
		in, args = inList(2, &same)
		if err := t.q.execLater(ctx, `UPDATE collections SET erased_at = $1, keep_until = 0, rev = rev + 1 WHERE erased_at = 0 AND id `+in,
			append([]any{micros(now)}, args...)...); err != nil {
			return "", err
		}
	}
	return ids[len(ids)-1], nil
}
