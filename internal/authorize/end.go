package authorize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/store"
)

// EndSubscriber is told of each consent that ends, once, with the cause.
// ConsentEnded runs inside the transaction that stores the final state; an error
// undoes the whole transaction. It may run more than once for one end, as any
// function given to store.Store.Write, and must do nothing outside the transaction.
type EndSubscriber interface {
	ConsentEnded(ctx context.Context, tx store.Tx, c consent.Consent, cause consent.Cause) error
}

// End is a planned end of one consent. PlanEnd makes it, Write stores it inside
// the caller's transaction, and Committed follows the commit. Nothing else writes
// a final consent.
type End struct {
	s       *Service
	before  consent.Consent
	after   consent.Consent
	cause   consent.Cause
	message *outbox.Message // nil: the bank need not be told
}

// PlanEnd plans the end of c by e: the final state, and the message that tells
// the bank. It reads and seals with the subject's key and must therefore not run
// inside a transaction. Errors: *consent.IllegalError when e does not end c,
// seal.ErrDecryption, or an error of the key store.
func (s *Service) PlanEnd(ctx context.Context, c consent.Consent, e consent.Event) (*End, error) {
	end, err := s.planSilentEnd(c, e)
	if err == nil && !end.cause.SaidByBank() {
		end.message, err = s.planRevocation(ctx, c)
	}
	return end, err
}

// planSilentEnd plans an end without a message to the bank.
func (s *Service) planSilentEnd(c consent.Consent, e consent.Event) (*End, error) {
	after, err := c.Apply(e, s.Clock.Now())
	if err == nil && (c.Status.Final() || !after.Status.Final()) {
		err = &consent.IllegalError{Status: c.Status, Event: e}
	}
	if err != nil {
		return nil, err
	}
	after.WakeAt = time.Time{}
	return &End{s: s, before: c, after: after, cause: c.EndCause(e)}, nil
}

// planRevocation plans the message that tells the bank of the end of c, or nil
// when there is nothing to tell: the bank has given no consent yet, or the secret
// is lost with the subject's key.
func (s *Service) planRevocation(ctx context.Context, c consent.Consent) (*outbox.Message, error) {
	if len(c.Sealed) == 0 {
		return nil, nil
	}
	secret, err := s.secret(ctx, c)
	if errors.Is(err, seal.ErrKeyDestroyed) || err == nil && secret.RemoteID == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := s.revocation(ctx, c, outbox.Revocation{RemoteID: secret.RemoteID, Token: secret.Token})
	return &m, err
}

// Consent returns the consent in its final state.
func (e *End) Consent() consent.Consent { return e.after }

// Write stores the final state, tells the subscribers, stores the message to the
// bank and wakes the collection that the consent lives inside. It is a
// compare-and-swap on the row version of the consent that was planned with.
// Errors: store.ErrConflict, or a subscriber's.
func (e *End) Write(ctx context.Context, tx store.Tx) error {
	if _, err := tx.PutConsent(ctx, e.after); err != nil {
		return err
	}
	return e.follow(ctx, tx)
}

// follow writes what follows from the final state in the same transaction.
func (e *End) follow(ctx context.Context, tx store.Tx) error {
	for _, subscriber := range e.s.subscribers {
		if err := subscriber.ConsentEnded(ctx, tx, e.after, e.cause); err != nil {
			return fmt.Errorf("tell a subscriber of the end of consent %s: %w", e.after.ID, err)
		}
	}
	if e.message != nil {
		if err := tx.AddOutboxMessage(ctx, *e.message); err != nil {
			return err
		}
	}
	if e.after.CollectionID == "" {
		return nil
	}
	return tx.WakeCollection(ctx, e.after.CollectionID, e.s.Clock.Now())
}

// Committed signals the rest of this process after the commit. Losing the
// signals to a crash only delays what they start.
func (e *End) Committed() {
	e.s.watching.Remove(string(e.after.ID))
	e.s.instructions.drop(e.after.ID) // also where this node did not watch
	if e.message != nil {
		e.s.Pump.Wake(store.Outbox)
	}
	if e.after.CollectionID != "" {
		e.s.Pump.Wake(store.Collections)
	}
}

// End ends a consent by e, whatever else writes it at the same time, and returns
// it in its final state. Errors: those of PlanEnd; store.ErrNotFound; a
// subscriber's.
func (s *Service) End(ctx context.Context, id consent.ID, e consent.Event) (consent.Consent, error) {
	return s.endBy(ctx, id, func(consent.Consent) (consent.Event, error) { return e, nil })
}

// endBy ends a consent by the event that decide returns for its current state.
// With store.ErrUnchanged from decide it returns the consent as it is.
func (s *Service) endBy(ctx context.Context, id consent.ID, decide func(consent.Consent) (consent.Event, error)) (consent.Consent, error) {
	return s.endAsPlanned(ctx, id, func(c consent.Consent) (*End, error) {
		e, err := decide(c)
		if err != nil {
			return nil, err
		}
		return s.PlanEnd(ctx, c, e)
	})
}

// endAsPlanned stores the end that plan returns for the current state of a
// consent. With store.ErrUnchanged from plan it returns the consent as it is.
func (s *Service) endAsPlanned(ctx context.Context, id consent.ID, plan func(consent.Consent) (*End, error)) (consent.Consent, error) {
	var end *End
	after, err := store.UpdateConsent(ctx, s.Store, id, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		end = nil
		planned, err := plan(old)
		if err != nil {
			return old, nil, err
		}
		end = planned
		return end.after, func(tx store.Tx) error { return planned.follow(ctx, tx) }, nil
	})
	if err == nil && end != nil {
		end.Committed()
	}
	return after, err
}

// endOnce ends c by e unless another writer was faster. Errors: those of PlanEnd
// and of Write.
func (s *Service) endOnce(ctx context.Context, c consent.Consent, e consent.Event) (consent.Consent, error) {
	end, err := s.PlanEnd(ctx, c, e)
	if err != nil {
		return c, err
	}
	if err := s.Store.Write(ctx, func(tx store.Tx) error { return end.Write(ctx, tx) }); err != nil {
		return c, err
	}
	end.Committed()
	return end.after, nil
}

// auditEnd is the subscriber that writes ends to the audit log.
type auditEnd struct{ *Service }

func (a auditEnd) ConsentEnded(ctx context.Context, tx store.Tx, c consent.Consent, cause consent.Cause) error {
	return tx.AddAuditEntry(ctx, audit.OfEnd(a.IDs, c, a.Clock.Now(), cause))
}
