package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/product"
	"samla/internal/store"
)

// complete turns what was read into products and commits everything at once: the
// answers, the products, the status.
func (s *Service) complete(ctx context.Context, r *reading) error {
	c, now := r.c, s.Clock.Now()
	about, _ := s.Companies.Find(c.Company)
	products := normalise(about, r.scope, r.accounts, s.IDs.New)
	in := collection.Completed
	switch {
	case r.missing > 0:
		in = collection.CompletedPartial
	case len(products) == 0:
		in = collection.CompletedEmpty
	}
	after, err := c.Apply(collection.Finished{In: in, KeepUntil: now.Add(s.KeepData)}, now)
	if err != nil {
		return err
	}
	plain := product.AppendPsd2Accounts(nil, products)
	sealed, err := s.Vault.Seal(ctx, c.Subject(), productsPlace(c.ID), plain)
	if err != nil {
		return err
	}
	raws, err := r.raws(ctx)
	if err != nil {
		return err
	}
	return s.conclude(ctx, c, after, func(tx store.Tx) error {
		if err := addRaws(ctx, tx, raws); err != nil {
			return err
		}
		return tx.PutProducts(ctx, c.ID, sealed)
	})
}
