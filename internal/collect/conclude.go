package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

// conclude commits the end of a collection by e, with whatever else write adds to
// the transaction. Errors: store.ErrConflict when another writer was first.
func (s *Service) conclude(ctx context.Context, c collection.Collection, e collection.Event, write func(store.Tx) error) error {
	end, err := s.planEnd(ctx, c, e, write)
	if err != nil {
		return err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutCollection(ctx, end.next); err != nil {
			return err
		}
		return end.also(tx)
	})
	if err != nil {
		return err
	}
	end.committed()
	return nil
}

// planEnd plans the end of a collection by e, and of the consent that lives inside
// it. What write adds are the products; without it all data is erased. The
// person's address, which no one reads after the end, is erased in any case.
func (s *Service) planEnd(ctx context.Context, c collection.Collection, e collection.Event, write func(store.Tx) error) (change, error) {
	now := s.Clock.Now()
	next, err := c.Apply(e, now)
	if err != nil {
		return change{}, err
	}
	next.WakeAt, next.Sealed = time.Time{}, nil
	inner, err := s.endInner(ctx, c)
	if err != nil {
		return change{}, err
	}
	also := func(tx store.Tx) error {
		if inner != nil {
			if err := inner.Write(ctx, tx); err != nil {
				return err
			}
		}
		if err := tx.AddAuditEntry(ctx, audit.OfCollection(s.IDs, next, now)); err != nil {
			return err
		}
		if write != nil {
			return write(tx)
		}
		return s.eraseData(ctx, tx, next)
	}
	committed := func() {
		s.polls.forget(c.ID)
		if write == nil {
			s.erased(c)
		}
		if inner != nil {
			inner.Committed()
		}
	}
	return change{next, also, committed}, nil
}

// endInner plans the end of the consent that lives inside a one-time collection;
// nil when there is none to end. It must be planned before the collection's data
// key is destroyed, under which the consent's secret is sealed.
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
	return s.Consents.PlanEnd(ctx, inner, consent.Revocation{Cause: consent.CauseOneTime})
}
