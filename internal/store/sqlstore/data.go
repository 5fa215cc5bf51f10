package sqlstore

import (
	"context"

	"samla/internal/store"
)

const rawColumns = `collection_id, seq, kind, part, mapping, fetched_at, sealed`

func scanRaw(r rows) (store.Raw, error) {
	var raw store.Raw
	var fetched, seq, mapping int64
	err := r.Scan(&raw.CollectionID, &seq, &raw.Kind, &raw.Key, &mapping, &fetched, &raw.Sealed)
	raw.Seq, raw.Mapping = int(seq), int(mapping)
	raw.FetchedAt, raw.Sealed = moment(fetched), bytes(raw.Sealed)
	return raw, err
}

// Raws implements store.Reader.
func (r reader) Raws(ctx context.Context, collectionID string) ([]store.Raw, error) {
	return list(ctx, r.q, scanRaw, `SELECT `+rawColumns+` FROM raws WHERE collection_id = $1 ORDER BY seq`, collectionID)
}

// Products implements store.Reader.
func (r reader) Products(ctx context.Context, collectionID string) ([]byte, error) {
	return one(ctx, r.q, column[[]byte], `SELECT sealed FROM products WHERE collection_id = $1`, collectionID)
}

// AddRaw implements store.Tx.
func (t *tx) AddRaw(ctx context.Context, r store.Raw) error {
	n, err := t.q.exec(ctx, `INSERT INTO raws (`+rawColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		r.CollectionID, int64(r.Seq), r.Kind, r.Key, int64(r.Mapping), micros(r.FetchedAt), blob(r.Sealed))
	return must(n, err, store.ErrExists)
}

// PutProducts implements store.Tx.
func (t *tx) PutProducts(ctx context.Context, collectionID string, sealed []byte) error {
	return t.q.later(ctx, `INSERT INTO products (collection_id, sealed) VALUES ($1, $2)
ON CONFLICT (collection_id) DO UPDATE SET sealed = excluded.sealed`, collectionID, blob(sealed))
}

// EraseData implements store.Tx.
func (t *tx) EraseData(ctx context.Context, collectionID string) error {
	if err := t.q.later(ctx, `DELETE FROM raws WHERE collection_id = $1`, collectionID); err != nil {
		return err
	}
	return t.q.later(ctx, `DELETE FROM products WHERE collection_id = $1`, collectionID)
}
