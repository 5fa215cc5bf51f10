package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
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
// Faults: CollectionNotFound, CollectionNotFinished, CollectionFailed,
// DataExpired.
func (s *Service) Data(ctx context.Context, o Owner, id string) ([]byte, error) {
	c, err := s.Get(ctx, o, id)
	if err != nil {
		return nil, err
	}
	switch {
	case !c.Status.Terminal():
		return nil, fault.New(fault.CollectionNotFinished)
	case c.Status.Class() != collection.Success:
		return nil, fault.Detailed(fault.CollectionFailed, "The collection ended as "+string(c.Status)+".")
	case c.DataGone(s.Clock.Now()):
		return nil, fault.New(fault.DataExpired)
	case c.Status == collection.CompletedEmpty:
		return []byte("[]"), nil
	}
	sealed, err := s.Store.Products(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(fault.DataExpired)
	}
	if err != nil {
		return nil, err
	}
	plain, err := s.Vault.Open(ctx, c.Subject(), productsPlace(id), sealed)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil, fault.New(fault.DataExpired)
	}
	return plain, err
}

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

// conclude commits a terminal status, with whatever else write adds to the
// transaction, and ends the consent inside a one-time collection with it.
func (s *Service) conclude(ctx context.Context, before, after collection.Collection, write func(store.Tx) error) error {
	now := s.Clock.Now()
	after.WakeAt = time.Time{}
	end, err := s.endInner(ctx, before)
	if err != nil {
		return err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutCollection(ctx, after); err != nil {
			return err
		}
		if write != nil {
			if err := write(tx); err != nil {
				return err
			}
		} else if err := tx.EraseData(ctx, after.ID); err != nil {
			return err
		}
		if end != nil {
			if err := end.Write(ctx, tx); err != nil {
				return err
			}
		}
		return tx.AddAuditEntry(ctx, audit.OfCollection(s.IDs, after, now))
	})
	if err != nil {
		return err
	}
	s.polls.forget(after.ID)
	if end != nil {
		end.Committed()
	}
	return nil
}

// endInner plans the end of the consent that lives inside a one-time collection;
// nil when there is none to end.
func (s *Service) endInner(ctx context.Context, c collection.Collection) (*authorize.End, error) {
	if c.Mode != collection.OneTime {
		return nil, nil
	}
	inner, err := s.Store.Consent(ctx, c.ConsentID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil || inner.Status.Final() {
		return nil, err
	}
	return s.Consents.PlanEnd(ctx, inner, consent.Withdrawn{Cause: consent.CauseOneTime})
}
