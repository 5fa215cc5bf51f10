package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/normalise"
	"samla/internal/product"
	"samla/internal/store"
)

// complete turns what was read into products and commits everything at once: the
// answers, the products, the status.
func (s *Service) complete(ctx context.Context, crawl *crawl) error {
	j, now := crawl.journal, s.Clock.Now()
	c := j.c
	from, _ := s.Institutions.Find(c.Company)
	products := normalise.Products(from.Company, crawl.scope, crawl.facts(), s.IDs.New)
	after, err := c.Apply(collection.Finished{In: crawl.success(len(products)), KeepUntil: now.Add(s.KeepData)}, now)
	if err != nil {
		return err
	}
	plain, err := product.AppendAll(nil, products)
	if err != nil {
		return err
	}
	sealed, err := s.Vault.Seal(ctx, c.Subject(), productsPlace(c.ID), plain)
	if err != nil {
		return err
	}
	raws, err := j.seal(ctx)
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
