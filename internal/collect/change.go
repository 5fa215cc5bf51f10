package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/store"
)

// change is a planned change of a collection. It is planned outside of a
// transaction, because it seals and reads.
type change struct {
	next      collection.Collection
	also      func(store.Tx) error // written in the transaction that stores next
	committed func()               // follows the commit
}

// update changes a collection of the owner, whatever else writes it at the same
// time, and returns it as it is then. plan returns store.ErrUnchanged to leave it
// as it is. Fault: CollectionNotFound.
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
