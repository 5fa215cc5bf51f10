package flowtest

import (
	"context"
	"sync/atomic"

	"samla/internal/store"
)

// WriteDetector is a store that reports whether one of its transactions is open.
type WriteDetector struct {
	store.Store
	open atomic.Int32
}

// Write implements store.Store.
func (s *WriteDetector) Write(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error {
		s.open.Add(1)
		defer s.open.Add(-1)
		return fn(tx)
	})
}

// InWrite reports whether a transaction is open.
func (s *WriteDetector) InWrite() bool { return s.open.Load() > 0 }
