package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
)

// Stop stops a running collection (docs/reference/api.md 5.10) and returns it as it is then; a
// finished one stays as it is. Fault: CollectionNotFound.
func (s *Service) Stop(ctx context.Context, o Owner, id string) (collection.Collection, error) {
	for {
		c, err := s.Get(ctx, o, id)
		if err != nil || c.Status.Terminal() {
			return c, err
		}
		after, err := c.Apply(collection.Stopped{}, s.Clock.Now())
		if err != nil {
			return c, err
		}
		err = s.conclude(ctx, c, after, nil)
		if errors.Is(err, store.ErrConflict) {
			continue // the flow was faster: look again
		}
		return after, err
	}
}

// Erase stops a running collection or erases the data of a finished one. Doing
// it twice changes nothing. Fault: CollectionNotFound.
func (s *Service) Erase(ctx context.Context, o Owner, id string) error {
	for {
		c, err := s.Stop(ctx, o, id)
		if err != nil || !c.ErasedAt.IsZero() || c.Status.Class() != collection.Success {
			return err
		}
		c.ErasedAt, c.WakeAt = s.Clock.Now(), time.Time{}
		err = s.Store.Write(ctx, func(tx store.Tx) error {
			if _, err := tx.PutCollection(ctx, c); err != nil {
				return err
			}
			return tx.EraseData(ctx, id)
		})
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}
