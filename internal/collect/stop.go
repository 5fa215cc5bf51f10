package collect

import (
	"context"
	"time"

	"samla/internal/collection"
	keyjournal "samla/internal/journal"
	"samla/internal/store"
)

// Stop stops a running collection (docs/reference/api.md 5.10) and returns it. A
// collection that has ended is returned unchanged. Faults: CollectionNotFound.
func (s *Service) Stop(ctx context.Context, o Owner, id string) (collection.Collection, error) {
	return s.update(ctx, o, id, func(c collection.Collection) (change, error) {
		if c.Status.Terminal() {
			return change{}, store.ErrUnchanged
		}
		return s.planEnd(ctx, c, collection.Stopped{}, nil)
	})
}

// Erase stops a running collection, or erases the data of a completed one. It is
// idempotent. Faults: CollectionNotFound.
func (s *Service) Erase(ctx context.Context, o Owner, id string) error {
	_, err := s.update(ctx, o, id, func(c collection.Collection) (change, error) {
		switch {
		case !c.Status.Terminal():
			return s.planEnd(ctx, c, collection.Stopped{}, nil)
		case !c.ErasedAt.IsZero(), c.Status.Class() != collection.Success:
			return change{}, store.ErrUnchanged
		}
		// A database that is restored from an older backup erases the data again.
		if err := s.Journal.Record(ctx, keyjournal.Record{Kind: keyjournal.CollectionErased, ID: c.ID, Client: c.ClientID}); err != nil {
			return change{}, err
		}
		c.ErasedAt, c.WakeAt = s.Clock.Now(), time.Time{}
		return change{
			next:      c,
			also:      func(tx store.Tx) error { return s.eraseData(ctx, tx, c) },
			committed: func() { s.forgetData(c) },
		}, nil
	})
	return err
}

// eraseData deletes the raw answers and products of a collection. It also destroys
// the data key of a collection that belongs to no user: it seals nothing else.
func (s *Service) eraseData(ctx context.Context, tx store.Tx, c collection.Collection) error {
	if err := tx.EraseData(ctx, c.ID); err != nil || c.UserID != "" {
		return err
	}
	return tx.DestroyDataKey(ctx, c.Subject(), s.Clock.Now())
}

// forgetData must be called after eraseData was committed.
func (s *Service) forgetData(c collection.Collection) {
	s.answers.forget(c.ID, c.Rev)
	if c.UserID == "" {
		s.Vault.Evict(c.Subject())
	}
}
