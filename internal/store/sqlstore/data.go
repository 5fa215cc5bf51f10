package sqlstore

import (
	"context"

	"samla/internal/collection"
	"samla/internal/store"
)

const rawColumns = `collection_id, seq, kind, mapping, fetched_at, sealed`

func scanRaw(r rows) (collection.RawAnswer, error) {
	var raw collection.RawAnswer
	var fetched, seq, mapping int64
	err := r.Scan(&raw.CollectionID, &seq, &raw.Kind, &mapping, &fetched, &raw.Sealed)
	raw.Seq, raw.Mapping = int(seq), int(mapping)
	raw.FetchedAt, raw.Sealed = fromMicros(fetched), fromBlob(raw.Sealed)
	return raw, err
}

// RawAnswers implements store.RawAnswerReader.
func (r reader) RawAnswers(ctx context.Context, collectionID string) ([]collection.RawAnswer, error) {
	return list(ctx, r.q, scanRaw, `SELECT `+rawColumns+` FROM raws WHERE collection_id = $1 ORDER BY seq`, collectionID)
}

// RawAnswersSize implements store.RawAnswerReader.
func (r reader) RawAnswersSize(ctx context.Context, collectionID string) (int64, error) {
	return one(ctx, r.q, column[int64], `SELECT CAST(COALESCE(SUM(LENGTH(sealed)), 0) AS BIGINT) FROM raws WHERE collection_id = $1`, collectionID)
}

// Products implements store.ProductReader.
func (r reader) Products(ctx context.Context, collectionID string) (collection.Products, error) {
	return one(ctx, r.q, scanProducts, `SELECT form, sealed FROM products WHERE collection_id = $1`, collectionID)
}

// PackedProducts implements store.ProductReader.
func (r reader) PackedProducts(ctx context.Context, collectionID string) (collection.Products, error) {
	return one(ctx, r.q, scanProducts, `SELECT form, sealed FROM packed_products WHERE collection_id = $1`, collectionID)
}

func scanProducts(r rows) (p collection.Products, err error) {
	var form int64
	err = r.Scan(&form, &p.Sealed)
	p.Form = int(form)
	return p, err
}

const (
	rawFields = 6
	rawBatch  = 16 // answers in one statement
)

// insertRaws are the statements for 1, 2, … answers.
var insertRaws = inserts(`INSERT INTO raws (`+rawColumns+`) VALUES `, rawFields, rawBatch, ` ON CONFLICT DO NOTHING`)

// AddRawAnswers implements store.RawAnswerWriter.
func (t *tx) AddRawAnswers(ctx context.Context, raws []collection.RawAnswer) error {
	for len(raws) > 0 {
		n := min(len(raws), rawBatch)
		args := make([]any, 0, n*rawFields)
		for _, r := range raws[:n] {
			args = append(args, r.CollectionID, int64(r.Seq), r.Kind, int64(r.Mapping), micros(r.FetchedAt), blob(r.Sealed))
		}
		stored, err := t.q.exec(ctx, insertRaws[n], args...)
		if err != nil {
			return err
		}
		if stored < int64(n) {
			return store.ErrExists
		}
		raws = raws[n:]
	}
	return nil
}

// PutProducts implements store.ProductWriter.
func (t *tx) PutProducts(ctx context.Context, collectionID string, p collection.Products) error {
	return t.putProducts(ctx, `products`, collectionID, p)
}

// PutPackedProducts implements store.ProductWriter.
func (t *tx) PutPackedProducts(ctx context.Context, collectionID string, p collection.Products) error {
	return t.putProducts(ctx, `packed_products`, collectionID, p)
}

// ReplaceProducts implements store.ProductWriter.
func (t *tx) ReplaceProducts(ctx context.Context, collectionID string, p collection.Products, packed *collection.Products) error {
	n, err := t.q.exec(ctx, `UPDATE products SET form = $2, sealed = $3 WHERE collection_id = $1`, collectionID, int64(p.Form), blob(p.Sealed))
	if err := requireRow(n, err, store.ErrNotFound); err != nil {
		return err
	}
	if packed != nil {
		return t.PutPackedProducts(ctx, collectionID, *packed)
	}
	return t.q.execLater(ctx, `DELETE FROM packed_products WHERE collection_id = $1`, collectionID)
}

func (t *tx) putProducts(ctx context.Context, table, collectionID string, p collection.Products) error {
	return t.q.execLater(ctx, `INSERT INTO `+table+` (collection_id, form, sealed) VALUES ($1, $2, $3)
ON CONFLICT (collection_id) DO UPDATE SET form = excluded.form, sealed = excluded.sealed`, collectionID, int64(p.Form), blob(p.Sealed))
}
