package collect

import (
	"context"
	"errors"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
)

func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.CollectionNotFound)
	}
	return err
}

func productsPlace(id string) seal.Place {
	return seal.Place{Table: "products", Column: "sealed", Row: id}
}

// Data returns the products of a collection as a JSON array (docs/reference/api.md 5.9).
// The products of an erased user are expired at once, also where this node has the
// user's data key in memory and the products are not deleted yet. Faults:
// CollectionNotFound, CollectionNotFinished, CollectionFailed, DataExpired.
func (s *Service) Data(ctx context.Context, o Owner, id string) ([]byte, error) {
	view, err := s.Store.CollectionStatus(ctx, id)
	if err != nil {
		return nil, notFound(err)
	}
	c := view.Collection
	if !o.owns(c) {
		return nil, fault.New(fault.CollectionNotFound)
	}
	switch {
	case !c.Status.Terminal():
		return nil, fault.New(fault.CollectionNotFinished)
	case c.Status.Class() != collection.Success:
		return nil, fault.Detailed(fault.CollectionFailed, "The collection ended as "+string(c.Status)+".")
	case view.UserAnonymized, c.DataGone(s.Clock.Now()):
		return nil, fault.New(fault.DataExpired)
	case c.Status == collection.CompletedEmpty:
		return []byte("[]"), nil
	}
	stored, err := s.Store.Products(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.DataExpired)
	}
	if err != nil {
		return nil, err
	}
	plain, err := s.Vault.Open(ctx, c.Subject(), productsPlace(id), stored.Sealed)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, fault.New(fault.DataExpired)
	}
	if err != nil {
		return nil, err
	}
	return product.Canonical(stored.Form, plain)
}
