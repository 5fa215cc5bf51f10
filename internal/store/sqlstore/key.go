package sqlstore

import (
	"context"
	"errors"
	"time"

	"samla/internal/seal"
	"samla/internal/session"
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
		if _, err := q.exec(ctx, `INSERT INTO data_keys (subject, wrapped, destroyed_at) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING`,
			subject, blob(wrapped)); err != nil {
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
	return t.q.execLater(ctx, `INSERT INTO data_keys (subject, wrapped, destroyed_at) VALUES ($1, $2, $3)
ON CONFLICT (subject) DO UPDATE SET wrapped = excluded.wrapped, destroyed_at = excluded.destroyed_at
WHERE data_keys.destroyed_at = 0`, subject, []byte{}, max(micros(at), 1))
}

// SigningKeys implements store.SigningKeyReader.
func (r reader) SigningKeys(ctx context.Context) ([]session.SigningKey, error) {
	return list(ctx, r.q, func(r rows) (k session.SigningKey, err error) {
		var created int64
		err = r.Scan(&k.ID, &created, &k.Sealed, &k.Public)
		k.CreatedAt = fromMicros(created)
		return k, err
	}, `SELECT id, created_at, sealed, public_jwk FROM signing_keys ORDER BY created_at, id`)
}

// AddSigningKey implements store.SigningKeyWriter.
func (t *tx) AddSigningKey(ctx context.Context, k session.SigningKey) error {
	n, err := t.q.exec(ctx, `INSERT INTO signing_keys (id, created_at, sealed, public_jwk) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		k.ID, micros(k.CreatedAt), blob(k.Sealed), blob(k.Public))
	return requireRow(n, err, store.ErrExists)
}

// DeleteSigningKey implements store.SigningKeyWriter.
func (t *tx) DeleteSigningKey(ctx context.Context, id string) error {
	n, err := t.q.exec(ctx, `DELETE FROM signing_keys WHERE id = $1`, id)
	return requireRow(n, err, store.ErrNotFound)
}
