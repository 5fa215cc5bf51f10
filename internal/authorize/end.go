package authorize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/journal"
	"samla/internal/outbox"
	"samla/internal/seal"
	"samla/internal/store"
)

// EndSubscriber is called for each consent that ends, with the cause. ConsentEnded
// runs in the transaction that stores the final state, and an error rolls that back.
// One end is committed once, but ConsentEnded may run several times for it, like any
// function given to Store.Write: it must have no effect outside the transaction.
type EndSubscriber interface {
	ConsentEnded(ctx context.Context, tx store.Tx, c consent.Consent, cause consent.Cause) error
}

// AuthorizedSubscriber is a subscriber that is called for each consent that is authorized,
// too, in the transaction that stores it and after its row was written. Like ConsentEnded, it
// may run several times.
type AuthorizedSubscriber interface {
	ConsentAuthorized(ctx context.Context, tx store.Tx, c consent.Consent) error
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
	unsent  bool            // planned for a row that no handler had claimed
	left    bool            // the bank may keep a consent that cannot be revoked
}

// PlanEnd plans the end of c by e: the final state, and the message that tells
// the bank. It reads and seals with the subject's key and must therefore not run
// inside a transaction. Errors: *consent.IllegalError when e does not end c,
// seal.ErrDecryption, or an error of the key store.
func (s *Service) PlanEnd(ctx context.Context, c consent.Consent, e consent.Event) (*End, error) {
	return s.planEnd(ctx, c, e, openingClaimed(c))
}

// planEnd is PlanEnd for a caller that knows whether an opening of c may have been
// sent without an answer.
func (s *Service) planEnd(ctx context.Context, c consent.Consent, e consent.Event, openSent bool) (*End, error) {
	end, err := s.planSilentEnd(ctx, c, e)
	switch {
	case err != nil:
	case !end.cause.KnownToBank():
		err = end.planRevocation(ctx, openSent)
	case c.Status.Pending():
		err = end.planLogout(ctx)
	}
	return end, err
}

// planLogout plans the message that revokes the tokens of a login before the consent, of
// which the bank has created none. That it knows the end of the consent does not end them.
func (e *End) planLogout(ctx context.Context) error {
	if len(e.before.Sealed) == 0 {
		return nil
	}
	secret, err := e.s.openSecret(ctx, e.before)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil
	}
	if err != nil || secret.RemoteID != "" || !secret.Tokens.Given() {
		return err
	}
	return e.planRevocation(ctx, false)
}

// planCertainEnd is planEnd for an end that must come: by time, as the last resort of
// the queue, or because the user is erased. A secret that does not open was tampered
// with and never will: such a consent ends without a message to the bank, because
// otherwise it would never end.
func (s *Service) planCertainEnd(ctx context.Context, c consent.Consent, e consent.Event, openSent bool) (*End, error) {
	end, err := s.planEnd(ctx, c, e, openSent)
	if errors.Is(err, seal.ErrDecryption) {
		s.Log.Error("the bank cannot be told that a consent has ended: its secret does not open", "company", c.Company, "consent", c.ID)
		return s.planSilentEnd(ctx, c, e)
	}
	return end, err
}

// planSilentEnd plans an end without a message to the bank. It is written to the journal
// before it is stored: a restored database has the consent as it was.
func (s *Service) planSilentEnd(ctx context.Context, c consent.Consent, e consent.Event) (*End, error) {
	after, err := c.Apply(e, s.Clock.Now())
	if err == nil && (c.Status.Final() || !after.Status.Final()) {
		err = &consent.IllegalError{Status: c.Status, Event: e}
	}
	if err != nil {
		return nil, err
	}
	after.WakeAt, after.Sealed = time.Time{}, nil // nothing reads the secret of a final consent
	end := &End{s: s, before: c, after: after, cause: c.EndCause(e)}
	if r := end.record(); r != nil {
		err = s.Journal.Record(ctx, *r)
	}
	return end, err
}

// record returns what the journal is told of the end; nil for what a restored database
// does by itself: it ends what is not authorized, what is past its validity, and the
// consents inside collections that go on.
func (e *End) record() *journal.Record {
	if e.before.Status != consent.Authorized || e.before.CollectionID != "" || e.cause == consent.CauseValidity {
		return nil
	}
	if by := e.after.RenewedBy; by != "" {
		return &journal.Record{Kind: journal.ConsentReplaced, ID: string(e.before.ID), Detail: string(by)}
	}
	return &journal.Record{Kind: journal.ConsentEnded, ID: string(e.before.ID), Detail: string(e.cause)}
}

// planRevocation plans the message that tells the bank of the end. There is none
// when the bank was not asked for a consent, or when the subject's key is destroyed.
func (e *End) planRevocation(ctx context.Context, openSent bool) error {
	c := e.before
	if len(c.Sealed) == 0 {
		return nil
	}
	if inst, known := e.s.Institutions.Find(c.Company); known && inst.Revoker == nil {
		return nil // its family has no way to be told
	}
	secret, err := e.s.openSecret(ctx, c)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case secret.RemoteID != "" || secret.Tokens.Given():
		e.message, err = e.s.revocation(ctx, c, revocationOf(secret))
	case !openSent:
		e.unsent = c.Step == consent.StepOpen
	case e.s.canReopen(c):
		e.message, err = e.s.reopening(ctx, c, secret)
	default:
		e.left = true
	}
	return err
}

// Write stores the final state, tells the subscribers, stores the message to the
// bank and wakes the collection that the consent lives inside. It is a
// compare-and-swap on the row version of the consent that was planned with.
// Errors: store.ErrConflict, or a subscriber's.
func (e *End) Write(ctx context.Context, tx store.Tx) error {
	if err := e.guard(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.PutConsent(ctx, e.after); err != nil {
		return err
	}
	return e.follow(ctx, tx)
}

// guard checks that a row which no handler had claimed when the end was planned is
// still not claimed. A claim changes WakeAt but not the row version. Errors:
// store.ErrConflict.
func (e *End) guard(ctx context.Context, tx store.Tx) error {
	if !e.unsent {
		return nil
	}
	c, err := tx.LockConsent(ctx, e.before.ID)
	if err == nil && !c.WakeAt.Equal(e.before.WakeAt) {
		return store.ErrConflict
	}
	return err
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
	if e.left {
		e.s.reportLeftover(e.after)
	}
	e.s.watching.Remove(string(e.after.ID))
	e.s.instructions.drop(e.after.ID) // also where this node did not watch
	if e.message != nil {
		e.s.Jobs.Wake(store.Outbox)
	}
	if e.after.CollectionID != "" {
		e.s.Jobs.Wake(store.Collections)
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
	guarded := store.Preceded{Store: s.Store, First: func(ctx context.Context, tx store.Tx) error { return end.guard(ctx, tx) }}
	after, err := store.UpdateConsent(ctx, guarded, id, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
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

// auditEnd is the subscriber that writes ends to the audit log.
type auditEnd struct{ *Service }

func (a auditEnd) ConsentEnded(ctx context.Context, tx store.Tx, c consent.Consent, cause consent.Cause) error {
	return tx.AddAuditEntry(ctx, audit.OfEnd(a.IDs, c, a.Clock.Now(), cause))
}

// tellEnd is the subscriber that tells the client of ends.
type tellEnd struct{ *Service }

func (t tellEnd) ConsentEnded(ctx context.Context, tx store.Tx, c consent.Consent, cause consent.Cause) error {
	if cause == consent.CauseRenewed {
		return nil // the event of the consent that has taken its place tells of both
	}
	return t.tell(ctx, tx, c, t.Clock.Now())
}
