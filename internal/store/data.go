package store

import (
	"context"

	"samla/internal/collection"
)

// RawAnswerReader reads what institutions have answered.
type RawAnswerReader interface {
	// RawAnswers lists the answers that a collection has read, in the order of
	// reading.
	RawAnswers(ctx context.Context, collectionID string) ([]collection.RawAnswer, error)
	// RawAnswersSize returns the bytes of these answers, sealed.
	RawAnswersSize(ctx context.Context, collectionID string) (int64, error)
}

// RawAnswerWriter stores what institutions have answered.
type RawAnswerWriter interface {
	// AddRawAnswers stores raw answers. Errors: ErrExists when one with the same
	// collection and Seq is stored. It is then unknown which of the others were
	// stored, and the transaction should not be committed.
	AddRawAnswers(ctx context.Context, raws []collection.RawAnswer) error
}

// ProductReader reads products.
type ProductReader interface {
	// Products returns a collection's sealed products. Errors: ErrNotFound when it
	// has none, or none any more.
	Products(ctx context.Context, collectionID string) (collection.Products, error)
	// PackedProducts returns a collection's sealed products in gzip. Errors:
	// ErrNotFound when it has none, or when the release before stored them.
	PackedProducts(ctx context.Context, collectionID string) (collection.Products, error)
}

// ProductWriter stores products.
type ProductWriter interface {
	// PutProducts stores a collection's sealed products, in place of older ones. What
	// deletes them deletes the packed ones too.
	PutProducts(ctx context.Context, collectionID string, p collection.Products) error
	// PutPackedProducts stores the same products in gzip, sealed. The collection must
	// have products.
	PutPackedProducts(ctx context.Context, collectionID string, p collection.Products) error
	// ReplaceProducts stores products in place of those that a collection has, and packed,
	// or none where it is nil, in place of the packed ones. Errors: ErrNotFound when it has
	// none, or none any more.
	ReplaceProducts(ctx context.Context, collectionID string, p collection.Products, packed *collection.Products) error
}
