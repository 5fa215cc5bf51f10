package sqlstore

import (
	"context"

	"samla/internal/session"
	"samla/internal/store"
)

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
