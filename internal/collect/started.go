package collect

import (
	"sync"

	"samla/internal/collection"
)

// started holds the rows of collections that this process has just stored and whose
// handlers it starts, so that these need not read them. A row that another writer has
// changed since is noticed as always: the first write of the handler is a compare-and-swap.
type started struct{ rows sync.Map }

func (s *started) add(c collection.Collection) { s.rows.Store(c.ID, c) }

// take returns a row once.
func (s *started) take(id string) (collection.Collection, bool) {
	c, found := s.rows.LoadAndDelete(id)
	if !found {
		return collection.Collection{}, false
	}
	return c.(collection.Collection), true
}
