package collect

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
)

// Stop stops a running collection (docs/reference/api.md 5.10) and returns it as it is then; a
// finished one stays as it is. Fault: CollectionNotFound.
func (s *Service) Stop(ctx context.Context, o Owner, id string) (collection.Collection, error) {
	return s.update(ctx, o, id, func(c collection.Collection) (change, error) {
		if c.Status.Terminal() {
			return change{}, store.ErrUnchanged
		}
		return s.planEnd(ctx, c, collection.Stopped{}, nil)
	})
}

// Erase stops a running collection or erases the data of a finished one. Doing
// it twice changes nothing. Fault: CollectionNotFound.
func (s *Service) Erase(ctx context.Context, o Owner, id string) error {
	_, err := s.update(ctx, o, id, func(c collection.Collection) (change, error) {
		switch {
		case !c.Status.Terminal():
			return s.planEnd(ctx, c, collection.Stopped{}, nil)
		case !c.ErasedAt.IsZero(), c.Status.Class() != collection.Success:
			return change{}, store.ErrUnchanged
		}
		c.ErasedAt, c.WakeAt = s.Clock.Now(), time.Time{}
		return change{
			next:      c,
			also:      func(tx store.Tx) error { return s.eraseData(ctx, tx, c) },
			committed: func() { s.erased(c) },
		}, nil
	})
	return err
}

// eraseData deletes what a collection has brought. The data key of one that
// belongs to no user seals nothing else, and is destroyed with it.
func (s *Service) eraseData(ctx context.Context, tx store.Tx, c collection.Collection) error {
	if err := tx.EraseData(ctx, c.ID); err != nil || c.UserID != "" {
		return err
	}
	return tx.DestroyKey(ctx, c.Subject(), s.Clock.Now())
}

// erased follows the commit of eraseData.
func (s *Service) erased(c collection.Collection) {
	if c.UserID == "" {
		s.Vault.Evict(c.Subject())
	}
}
