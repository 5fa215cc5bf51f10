package authorize

import (
	"context"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/store"
)

// Add stores a drafted consent and its entry in the audit log.
func (s *Service) Add(ctx context.Context, tx store.Tx, c consent.Consent) error {
	if err := tx.AddConsent(ctx, c); err != nil {
		return err
	}
	return s.recordStatus(ctx, tx, c)
}

// recordStatus writes the status that a consent has just reached to the audit log, and
// tells the client of it. c does not end: that is told by tellEnd.
func (s *Service) recordStatus(ctx context.Context, tx store.Tx, c consent.Consent) error {
	now := s.Clock.Now()
	if e, ok := audit.OfConsent(s.IDs, c, now); ok {
		if err := tx.AddAuditEntry(ctx, e); err != nil {
			return err
		}
	}
	if err := s.tellAuthorized(ctx, tx, c); err != nil {
		return err
	}
	return s.tell(ctx, tx, c, now)
}

// tellAuthorized tells the subscribers of a consent that has just been authorized.
func (s *Service) tellAuthorized(ctx context.Context, tx store.Tx, c consent.Consent) error {
	if c.Status != consent.Authorized {
		return nil
	}
	for _, subscriber := range s.subscribers {
		if of, ok := subscriber.(AuthorizedSubscriber); ok {
			if err := of.ConsentAuthorized(ctx, tx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordChange writes to the audit log that a consent permits something else than before,
// or until another time, with the same status: a bank has shortened it, for example. It
// tells the client if it is warned of the end.
func (s *Service) recordChange(ctx context.Context, tx store.Tx, before, after consent.Consent) error {
	if !after.Warned.Equal(before.Warned) {
		if err := tx.AddEvent(ctx, event.ConsentExpiring(s.IDs, after, s.Clock.Now())); err != nil {
			return err
		}
	}
	if e, ok := audit.OfChange(s.IDs, before, after, s.Clock.Now()); ok {
		return tx.AddAuditEntry(ctx, e)
	}
	return nil
}

// recordRenewal is recordStatus of a consent that was authorized in the place of another
// one: the client is told once of both.
func (s *Service) recordRenewal(ctx context.Context, tx store.Tx, c, replaced consent.Consent) error {
	now := s.Clock.Now()
	if e, ok := audit.OfConsent(s.IDs, c, now); ok {
		if err := tx.AddAuditEntry(ctx, e); err != nil {
			return err
		}
	}
	if err := s.tellAuthorized(ctx, tx, c); err != nil {
		return err
	}
	return tx.AddEvent(ctx, event.ConsentRenewed(s.IDs, c, replaced, now))
}

// tell stores the event that a consent has reached its status, if clients are told of it.
// The transaction has written the row of the consent before.
func (s *Service) tell(ctx context.Context, tx store.Tx, c consent.Consent, now time.Time) error {
	e, ok := event.Consent(s.IDs, c, now)
	if !ok {
		return nil
	}
	return tx.AddEvent(ctx, e)
}

// save commits a change of c that does not end it, to be handled again at wake
// (zero = never). A new status is written to the audit log and wakes the
// collection that the consent lives inside. It is a compare-and-swap on c.Rev.
func (s *Service) save(ctx context.Context, before, c consent.Consent, wake time.Time) (consent.Consent, error) {
	c.WakeAt = wake
	var after consent.Consent
	changed := c.Status != before.Status
	replaces := changed && c.Status == consent.Authorized && c.Renews != ""
	err := s.writeReplacing(ctx, c, replaces, func(tx store.Tx, replaced consent.Consent) (err error) {
		if after, err = tx.PutConsent(ctx, c); err != nil {
			return err
		}
		if !changed {
			return s.recordChange(ctx, tx, before, after)
		}
		if replaces {
			return s.recordRenewal(ctx, tx, after, replaced)
		}
		if err := s.recordStatus(ctx, tx, after); err != nil || c.CollectionID == "" {
			return err
		}
		return tx.WakeCollection(ctx, c.CollectionID, s.Clock.Now())
	})
	if err != nil {
		return before, err
	}
	if !after.Status.Pending() {
		s.instructions.drop(c.ID)
	}
	if c.CollectionID != "" && changed {
		s.Jobs.Wake(store.Collections)
	}
	return after, nil
}
