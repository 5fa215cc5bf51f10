package collect

import (
	"context"
	"log/slog"

	"samla/internal/collection"
	"samla/internal/deviation"
	"samla/internal/store"
)

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
	made, err := crawl.products(from.Company)
	if err != nil {
		return err
	}
	c.Mapping = mappingOf(crawl.from)
	sealed, packed, err := s.sealProducts(ctx, c, made)
	if err != nil {
		return err
	}
	raws, err := j.seal(ctx)
	if err != nil {
		return err
	}
	apply, err := s.planApply(ctx, c, made.report)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, concludeWithin)
	defer cancel()
	finished := collection.Finished{In: crawl.success(len(made.list)), KeepUntil: s.Clock.Now().Add(s.KeepData), Accounts: made.accounts}
	err = s.conclude(ctx, c, finished, func(tx store.Tx) error {
		if err := addRaws(ctx, tx, raws); err != nil {
			return err
		}
		if c.UserID != "" {
			if err := tx.AddOutboxMessage(ctx, apply); err != nil {
				return err
			}
		}
		if err := tx.PutProducts(ctx, c.ID, sealed); err != nil || packed == nil {
			return err
		}
		return tx.PutPackedProducts(ctx, c.ID, *packed)
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
