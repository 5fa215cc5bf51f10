package collect

import (
	"context"
	"log/slog"
	"slices"

	"samla/internal/collection"
	"samla/internal/deviation"
	"samla/internal/gzipped"
	"samla/internal/normalise"
	"samla/internal/product"
	"samla/internal/store"
)

// smallData is the size up to which data is not stored compressed too: it is compressed
// faster than a second row is written, and most data is read rarely.
const smallData = 8 << 10

// complete converts the facts to products, and stores the last answers, the products
// and the status in one transaction.
func (s *Service) complete(ctx context.Context, crawl *crawl) error {
	j := crawl.journal
	c := j.c
	if crawl.total.bytes > heavyBody {
		s.heavy <- struct{}{}
		defer func() { <-s.heavy }()
	}
	from, _ := s.Institutions.Find(c.Company)
	found, said := crawl.found(), newReporter(crawl)
	products, deviations := normalise.Products(normalise.Request{Company: from.Company, Accounts: found.Accounts,
		Scope: crawl.scope, Filter: c.Filter, PersonalNumber: crawl.person, NewID: s.IDs.New, Each: said.add}, crawl.facts())
	crawl.deviations.Merge(found.Deviations)
	crawl.deviations.Merge(deviations)
	crawl.deviations.Add(deviation.Unanswered, crawl.lost(found.Accounts))
	plain, err := product.AppendAll(nil, products)
	if err != nil {
		return err
	}
	sealed, err := s.Vault.Seal(ctx, c.Subject(), productsPlace(c.ID), plain)
	if err != nil {
		return err
	}
	var packed []byte
	// Where a public pension is stored, what is served depends on the version.
	public := slices.ContainsFunc(products, func(p product.Product) bool { return p.Common().Type == product.PublicPensionType })
	if len(plain) > smallData && !public {
		if packed, err = s.Vault.Seal(ctx, c.Subject(), packedPlace(c.ID), gzipped.Compress(plain)); err != nil {
			return err
		}
	}
	raws, err := j.seal(ctx)
	if err != nil {
		return err
	}
	apply, err := s.planApply(ctx, c, said.report)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, concludeWithin)
	defer cancel()
	finished := collection.Finished{In: crawl.success(len(products)), KeepUntil: s.Clock.Now().Add(s.KeepData), Accounts: len(found.Accounts)}
	err = s.conclude(ctx, c, finished, func(tx store.Tx) error {
		if err := addRaws(ctx, tx, raws); err != nil {
			return err
		}
		if c.UserID != "" {
			if err := tx.AddOutboxMessage(ctx, apply); err != nil {
				return err
			}
		}
		if err := tx.PutProducts(ctx, c.ID, collection.Products{Form: product.Form, Sealed: sealed}); err != nil || packed == nil {
			return err
		}
		return tx.PutPackedProducts(ctx, c.ID, collection.Products{Form: product.Form, Sealed: packed})
	})
	if err == nil {
		if c.UserID != "" {
			s.Jobs.Wake(store.Outbox)
		}
		s.reportDeviations(c, crawl.deviations)
	}
	return err
}

// reportDeviations logs and counts the deviations of a collection that has ended. It
// is called once for each collection, because a run that continues after a crash
// reads the stored answers again.
func (s *Service) reportDeviations(c collection.Collection, found deviation.Counts) {
	if len(found) == 0 {
		return
	}
	s.Deviations.Add(c.Company, found)
	counts := make([]any, 0, len(found))
	for _, kind := range found.Kinds() {
		counts = append(counts, slog.Int(string(kind), found[kind]))
	}
	s.Log.Info("the answers of an institution deviated", "company", c.Company, "collection", c.ID, slog.Group("deviations", counts...))
}
