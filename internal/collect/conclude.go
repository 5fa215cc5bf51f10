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
