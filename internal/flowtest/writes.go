package flowtest

import (
	"context"
	"sync/atomic"

	"samla/internal/store"
	"samla/internal/user"
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

// UserErrors is a store whose transactions fail to read users with Err, the first
// Times times.
type UserErrors struct {
	store.Store
	Err   error
	Times atomic.Int32
}

// Write implements store.Store.
func (s *UserErrors) Write(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return fn(userErrorTx{tx, s}) })
}

type userErrorTx struct {
	store.Tx
	s *UserErrors
}

func (t userErrorTx) User(ctx context.Context, clientID, id string) (user.User, error) {
	if t.s.Times.Add(-1) >= 0 {
		return user.User{}, t.s.Err
	}
	return t.Tx.User(ctx, clientID, id)
}

func (t userErrorTx) LockUser(ctx context.Context, clientID, id string) (user.User, error) {
	if t.s.Times.Add(-1) >= 0 {
		return user.User{}, t.s.Err
	}
	return t.Tx.LockUser(ctx, clientID, id)
}
