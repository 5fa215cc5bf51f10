package sqlstore

import (
	"context"
	"errors"
	"time"

	"samla/internal/seal"
	"samla/internal/store"
)

// dataKey is a row of data_keys.
type dataKey struct {
	wrapped   []byte
	destroyed int64
}

func readDataKey(ctx context.Context, q querier, subject string) ([]byte, error) {
	k, err := one(ctx, q, func(r rows) (k dataKey, err error) {
		return k, r.Scan(&k.wrapped, &k.destroyed)
	}, `SELECT wrapped, destroyed_at FROM data_keys WHERE subject = $1`, subject)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case k.destroyed != 0:
		return nil, seal.ErrKeyDestroyed
	}
	return k.wrapped, nil
}

// DataKey implements seal.APIKeys.
func (s *Store) DataKey(ctx context.Context, subject string) ([]byte, error) {
	if !seal.HasDataKey(subject) {
		return nil, seal.ErrNoSubject
	}
	return readDataKey(ctx, s.q, subject)
}

// AddDataKey implements seal.APIKeys.
func (s *Store) AddDataKey(ctx context.Context, subject string, wrapped []byte) (stored []byte, err error) {
	if !seal.HasDataKey(subject) {
		return nil, seal.ErrNoSubject
	}
	err = s.db.write(ctx, func(q querier) error {
		epoch, _ := seal.EpochOf(wrapped)
		if _, err := q.exec(ctx, `INSERT INTO data_keys (subject, wrapped, epoch, destroyed_at) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
			subject, blob(wrapped), string(epoch)); err != nil {
			return err
		}
		stored, err = readDataKey(ctx, q, subject)
		return err
	})
	return stored, err
}

// DestroyDataKey implements store.Eraser.
func (t *tx) DestroyDataKey(ctx context.Context, subject string, at time.Time) error {
	if !seal.HasDataKey(subject) {
		return seal.ErrNoSubject
	}
	if err := t.eraseAccounts(ctx, []string{subject}); err != nil {
		return err
	}
	return t.destroyDataKey(ctx, subject, at)
}

func (t *tx) destroyDataKey(ctx context.Context, subject string, at time.Time) error {
	return t.q.execLater(ctx, `INSERT INTO data_keys (subject, wrapped, destroyed_at) VALUES ($1, $2, $3)
ON CONFLICT (subject) DO UPDATE SET wrapped = excluded.wrapped, destroyed_at = excluded.destroyed_at
WHERE data_keys.destroyed_at = 0`, subject, []byte{}, max(micros(at), 1))
}
