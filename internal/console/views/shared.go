package views

import (
	"sync"
	"time"

	"samla/internal/clock"
)

// fresh is how long what the first page shows is shared at least: however many look at it, it
// is read once in this time. Reading takes longer the more has ended in lookBack, so it is
// shared restful times as long as reading took: pages that stay open cost the database at
// most one part in so many of its time.
const (
	fresh   = 5 * time.Second
	restful = 20
)

// shared is what was read of the store for all who look at it.
type shared[T any] struct {
	mu    sync.Mutex
	at    time.Time
	fresh time.Duration
	made  T
}

// get returns what was read, and reads it again when its time is over.
func (s *shared[T]) get(c clock.Clock, read func(now time.Time) (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.Now()
	if age := now.Sub(s.at); age >= 0 && age < s.fresh {
		return s.made, nil
	}
	made, err := read(now)
	if err == nil {
		s.at, s.made, s.fresh = now, made, max(fresh, restful*c.Now().Sub(now))
	}
	return made, err
}
