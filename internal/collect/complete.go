package collect

import (
	"context"

	"samla/internal/collection"
	"samla/internal/normalise"
	"samla/internal/product"
	"samla/internal/store"
)

// complete converts the facts to products, and stores the last answers, the products
// and the status in one transaction.
func (s *Service) complete(ctx context.Context, crawl *crawl) error {
	j := crawl.journal
	c := j.c
	from, _ := s.Institutions.Find(c.Company)
	products := normalise.Products(from.Company, crawl.scope, crawl.facts(), s.IDs.New)
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
	finished := collection.Finished{In: crawl.success(len(products)), KeepUntil: s.Clock.Now().Add(s.KeepData)}
	return s.conclude(ctx, c, finished, func(tx store.Tx) error {
		if err := addRaws(ctx, tx, raws); err != nil {
			return err
		}
		return tx.PutProducts(ctx, c.ID, collection.Products{Form: product.Form, Sealed: sealed})
	})
}
