package store

import (
	"context"

	"samla/internal/session"
)

// SigningKeyReader reads the keys that sign session tokens.
type SigningKeyReader interface {
	// SigningKeys lists all signing keys, oldest first.
	SigningKeys(ctx context.Context) ([]session.SigningKey, error)
}

// SigningKeyWriter writes the keys that sign session tokens.
type SigningKeyWriter interface {
	// AddSigningKey stores a signing key. Errors: ErrExists when the id is taken.
	AddSigningKey(ctx context.Context, k session.SigningKey) error
	// DeleteSigningKey deletes a signing key. Errors: ErrNotFound.
	DeleteSigningKey(ctx context.Context, id string) error
}
