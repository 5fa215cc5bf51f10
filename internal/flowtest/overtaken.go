package flowtest

import (
	"context"

	"samla/internal/store"
)

// Overtaken is a store in which another writer is faster than the next transaction.
type Overtaken struct {
	store.Store
	By func() // runs once, ahead of the next transaction; it may write
}

// Write implements store.Store.
func (s *Overtaken) Write(ctx context.Context, fn func(store.Tx) error) error {
	if by := s.By; by != nil {
		s.By = nil
		by()
	}
	return s.Store.Write(ctx, fn)
}
