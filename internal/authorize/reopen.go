package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/store"
)

// A process may die after the bank has made a consent and before the consent's id
// is stored. When such a consent ends, its opening is repeated to learn the id, with
// the same X-Request-ID, and then it is revoked. Only a bank that recognizes the
// repeat can be told in this way.

// openRequest is the request that opens c at its bank, the same on every repeat.
func openRequest(c consent.Consent, person psu.Context) institution.OpenRequest {
	return institution.OpenRequest{RequestID: c.OpenRequestID, Scope: c.Requested, ValidUntil: c.ExpiresAt,
		Recurring: c.CollectionID == "", PSU: person, OtherDevice: otherDevice(c)}
}

// openingClaimed reports whether a handler may have begun to open c. A new row is
// due at its creation; a claim, and every write, changes that.
func openingClaimed(c consent.Consent) bool {
	return (c.Step == consent.StepOpen || c.Step == consent.StepOpening) && (c.Rev > 0 || !c.WakeAt.Equal(c.CreatedAt))
}

// firstClaim reports whether no other handler can have died over the row since it
// was written. The claim that Create makes for its own process is not counted;
// when it was lost, the row is claimed again a lease later.
func (v *visit) firstClaim(ctx context.Context) bool {
	return jobs.Attempts(ctx) == 1 && (v.c.Rev > 0 || v.c.WakeAt.Before(v.c.CreatedAt.Add(2*jobs.Lease)))
}

// mayHaveOpened reports whether the bank may have made a consent although the call
// failed: it did not answer, or its answer cannot be used. Any other error is the
// bank's refusal.
func mayHaveOpened(err error) bool {
	kind := institution.KindOf(err)
	return kind.Transient() || kind == institution.MalformedResponse || kind == institution.ForeignAddress
}

// canReopen reports whether an opening of c can be repeated to learn its id.
func (s *Service) canReopen(c consent.Consent) bool {
	bank := s.Institutions[c.Company]
	return bank.Opener != nil && bank.Revoker != nil && bank.Profile.ReplaySafe
}

// reopening plans the message that repeats the opening of c and revokes what that
// finds. Its id is the X-Request-ID of the opening. It is due when no handler can
// still be waiting for the bank's answer.
func (s *Service) reopening(ctx context.Context, c consent.Consent, person psu.Context) (*outbox.Message, error) {
	m, err := s.revocationAs(ctx, c.OpenRequestID, c, outbox.Revocation{PSU: &person})
	if c.WakeAt.After(m.WakeAt) {
		m.WakeAt = c.WakeAt
	}
	return m, err
}

// openedTooLate tells the bank of a consent that it made while its row was ended by
// another writer. The message with the id takes the place of the one that would
// repeat the opening.
func (v *visit) openedTooLate(ctx context.Context, id consent.RemoteID) error {
	c, err := v.Store.Consent(ctx, v.c.ID)
	if err != nil || !c.Status.Final() {
		return err
	}
	m, err := v.revocationAs(ctx, c.OpenRequestID, c, outbox.Revocation{RemoteID: id})
	if err != nil {
		return err
	}
	err = v.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.PutOutboxMessage(ctx, *m); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.AddOutboxMessage(ctx, *m)
	})
	if err != nil {
		return err
	}
	v.Pump.Wake(store.Outbox)
	return nil
}

// errNothingToRevoke says that the bank has no consent that could be revoked.
var errNothingToRevoke = errors.New("the bank has no such consent")

// reopen repeats the opening of a consent that has ended and stores the id in the
// message, in place of the person. Errors: errNothingToRevoke when the bank refuses,
// when the consent would be over there, or when the bank would now make a second
// one.
func (s *Service) reopen(ctx context.Context, m *outbox.Message, person psu.Context) (consent.RemoteID, error) {
	c, err := s.Store.Consent(ctx, m.ConsentID)
	if err != nil {
		return "", err
	}
	bank := s.Institutions[m.Company]
	switch {
	case !s.Clock.Now().Before(c.ExpiresAt):
		return "", errNothingToRevoke
	case bank.Opener == nil:
		return "", errNotConfigured
	case !bank.Profile.ReplaySafe:
		s.leftAtBank(c)
		return "", errNothingToRevoke
	}
	opened, err := bank.Opener.OpenConsent(ctx, openRequest(c, person))
	if err != nil && !mayHaveOpened(err) {
		s.Log.Info("a bank refused to repeat an opening", "company", c.Company, "consent", c.ID, "error", err)
		return "", errNothingToRevoke
	}
	if err != nil {
		return "", err
	}
	if m.Sealed, err = s.sealRevocation(ctx, m.ID, outbox.Revocation{RemoteID: opened.ConsentID}); err != nil {
		return "", err
	}
	return opened.ConsentID, s.Store.Write(context.WithoutCancel(ctx), func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, *m) })
}

// leftAtBank notes that the bank may keep a consent of which it cannot be told,
// because it would make a second one of a repeat. Nobody has signed it: it lapses
// there.
func (s *Service) leftAtBank(c consent.Consent) {
	s.Log.Warn("a consent may be left at the bank, not signed: its opening was not answered and cannot be repeated",
		"company", c.Company, "consent", c.ID, "total", s.leftCount.Add(1))
}
