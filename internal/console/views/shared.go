package views

import (
	"context"
	"sync/atomic"
	"time"

	"samla/internal/clock"
	"samla/internal/lru"
)

// fresh is how long what many look at is shared at least: however many do, it is read once in
// this time. Reading takes longer the more there is, so it is shared restful times as long as
// reading took: pages that stay open cost the database at most one part in so many of its time.
const (
	fresh   = 5 * time.Second
	restful = 20
)

// shared is what was read of the store for all who look at it. One reads at a time; the others
// wait for it as long as their contexts last.
type shared[T any] struct {
	turn  chan struct{}
	of    atomic.Int64 // changes when what was read is no longer so
	read  int64        // what of was when it was read
	at    time.Time
	fresh time.Duration
	made  T
}

func newShared[T any]() *shared[T] { return &shared[T]{turn: make(chan struct{}, 1)} }

// get returns what was read, and reads it again when its time is over.
func (s *shared[T]) get(ctx context.Context, c clock.Clock, read func(ctx context.Context, now time.Time) (T, error)) (T, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	now, of := c.Now(), s.of.Load()
	if age := now.Sub(s.at); age >= 0 && age < s.fresh && s.read == of {
		return s.made, nil
	}
	made, err := read(ctx, now)
	if err == nil {
		s.at, s.made, s.read, s.fresh = now, made, of, max(fresh, restful*c.Now().Sub(now))
	}
	return made, err
}

// forget lets the next one read again, because something was changed here.
func (s *shared[T]) forget() { s.of.Add(1) }

// sharedBy is shared for each key.
type sharedBy[K comparable, T any] struct {
	clock clock.Clock
	of    *lru.Cache[K, *shared[T]]
}

const (
	mostShared = 64 // keys
	keepShared = time.Hour
)

func newSharedBy[K comparable, T any](c clock.Clock) sharedBy[K, T] {
	return sharedBy[K, T]{c, lru.New[K, *shared[T]](c, mostShared, keepShared)}
}

func (s sharedBy[K, T]) get(ctx context.Context, key K, read func(ctx context.Context, now time.Time) (T, error)) (T, error) {
	of, err := s.of.Get(ctx, key, func(context.Context) (*shared[T], error) { return newShared[T](), nil })
	if err != nil {
		var none T
		return none, err
	}
	return of.get(ctx, s.clock, read)
}
