package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/outbox"
	"samla/internal/store"
)

// conclude ends a collection by the event e. write stores the products in the same
// transaction; nil erases all data. Errors: store.ErrConflict when another writer
// was first.
func (s *Service) conclude(ctx context.Context, c collection.Collection, e collection.Event, write func(store.Tx) error) error {
	end, err := s.planEnd(ctx, c, e, write)
	if err != nil {
		return err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if err := end.endInner(ctx, tx); err != nil {
			return err
		}
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

// planEnd plans the end of a collection by e, and of the consent inside it. The
// PSU context is erased from the row in any case: nothing reads it after the end.
func (s *Service) planEnd(ctx context.Context, c collection.Collection, e collection.Event, write func(store.Tx) error) (change, error) {
	now := s.Clock.Now()
	next, err := c.Apply(e, now)
	if err != nil {
		return change{}, err
	}
	next.WakeAt, next.Sealed = time.Time{}, nil
	inner, err := s.planInnerEnd(ctx, c)
	if err != nil {
		return change{}, err
	}
	ending, err := s.planEnding(ctx, c)
	if err != nil {
		return change{}, err
	}
	also := func(tx store.Tx) error {
		if err := endDialogue(ctx, tx, c, ending); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(ctx, audit.OfCollectionEnd(s.IDs, next, e, now)); err != nil {
			return err
		}
		if err := tx.AddEvent(ctx, event.Collection(s.IDs, next, now)); err != nil {
			return err
		}
		if write != nil {
			return write(tx)
		}
		return s.eraseData(ctx, tx, next)
	}
	committed := func() {
		s.polls.forget(c.ID)
		s.loginWatch.Remove(c.ID)
		s.knownLogins.Drop(c.ID)
		if ending != nil {
			s.Jobs.Wake(store.Outbox)
		}
		if write == nil {
			s.forgetData(c)
		}
		if inner != nil {
			inner.Committed()
		}
	}
	return change{next, inner, also, committed}, nil
}

// endDialogue deletes the row of a login, and stores the message that ends it at its
// institution.
func endDialogue(ctx context.Context, tx store.Tx, c collection.Collection, ending *outbox.Message) error {
	if c.Mode != collection.Dialogue {
		return nil
	}
	if err := tx.DeleteDialogue(ctx, c.ID); err != nil || ending == nil {
		return err
	}
	return tx.AddOutboxMessage(ctx, *ending)
}

// planInnerEnd plans the end of the consent inside a one-time collection, or returns
// nil when no consent is to end. It opens the consent's secret, which is sealed under
// the collection's data key: plan before the key is destroyed.
func (s *Service) planInnerEnd(ctx context.Context, c collection.Collection) (*authorize.End, error) {
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
