package collect

import (
	"context"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/store"
)

// change is a planned change of a collection. Planning seals and reads the store and
// must not happen inside a transaction.
type change struct {
	next collection.Collection
	// inner ends the consent inside, in the transaction that stores next and before
	// it: consents are locked before their collections. Nil: no consent is to end.
	inner     *authorize.End
	also      func(store.Tx) error // runs in that transaction after next was stored
	committed func()               // runs after the commit
}

// endInner ends the consent inside, if it is to end.
func (c change) endInner(ctx context.Context, tx store.Tx) error {
	if c.inner == nil {
		return nil
	}
	return c.inner.Write(ctx, tx)
}

// update changes a collection of the owner and returns it as stored. It plans again
// when another writer was first. plan returns store.ErrUnchanged to change nothing.
// Faults: CollectionNotFound.
func (s *Service) update(ctx context.Context, o Owner, id string, plan func(collection.Collection) (change, error)) (collection.Collection, error) {
	var last change
	ordered := store.Preceded{Store: s.Store, First: func(ctx context.Context, tx store.Tx) error { return last.endInner(ctx, tx) }}
	c, err := store.UpdateCollection(ctx, ordered, id, func(c collection.Collection) (next collection.Collection, also func(store.Tx) error, err error) {
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
