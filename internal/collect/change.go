package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/store"
)

// change is a planned change of a collection. Planning seals and reads the store and
// must not happen inside a transaction.
type change struct {
	next      collection.Collection
	also      func(store.Tx) error // runs in the transaction that stores next
	committed func()               // runs after the commit
}

// update changes a collection of the owner and returns it as stored. It plans again
// when another writer was first. plan returns store.ErrUnchanged to change nothing.
// Faults: CollectionNotFound.
func (s *Service) update(ctx context.Context, o Owner, id string, plan func(collection.Collection) (change, error)) (collection.Collection, error) {
	var last change
	c, err := store.UpdateCollection(ctx, s.Store, id, func(c collection.Collection) (next collection.Collection, also func(store.Tx) error, err error) {
		last = change{committed: func() {}}
		if !o.owns(c) {
			return c, nil, fault.New(fault.CollectionNotFound)
		}
		planned, err := plan(c)
		if err != nil {
			return c, nil, err
		}
		last = planned
		return last.next, last.also, nil
	})
	if err != nil {
		return c, notFound(err)
	}
	last.committed()
	return c, nil
}
