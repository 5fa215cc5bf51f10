package authorize

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/journal"
	"samla/internal/outbox"
	"samla/internal/store"
)

// The waits between attempts to deliver an outbox message.
const (
	firstRetry   = time.Second
	longestRetry = time.Hour
)

// quietAttempts is how many attempts fail before the log warns.
const quietAttempts = 3

// errNotConfigured says that the institution of a message is not configured, or
// lacks the verb.
var errNotConfigured = errors.New("the institution is not configured, or lacks the verb")

// Deliver tries to revoke a consent at its institution; it is the handler of outbox
// messages of the kind RevokeConsent. A message that cannot be delivered stays and
// is tried again, with growing waits, until it is given up (jobs.Park, for one that the bank
// refuses). Two nodes may deliver the same
// message: then the institution is told twice, and the one that deletes the message
// records it.
func (s *Service) Deliver(ctx context.Context, m outbox.Message) error {
	failure := s.deliverRevocation(ctx, &m)
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	var err error
	switch {
	case failure == nil:
		// A restored database may have the message again: the bank is not told twice.
		if err = s.Journal.Record(ctx, journal.Record{Kind: journal.ConsentTold, ID: string(m.ConsentID)}); err == nil {
			err = s.delivered(ctx, m)
		}
	case errors.Is(failure, errNothingToRevoke):
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, m.ID) })
	case !errors.Is(failure, store.ErrNotFound):
		err = s.retryDelivery(ctx, m, failure)
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil // another node has delivered it
	}
	return err
}

// deliverRevocation revokes the consent at its institution. Where the remote id is
// not known, it learns the id first and stores it in m. Errors: store.ErrNotFound
// when another node has delivered the message meanwhile.
func (s *Service) deliverRevocation(ctx context.Context, m *outbox.Message) error {
	r, err := OpenRevocation(ctx, s.Vault, *m)
	if err != nil {
		return err
	}
	ctx, err = s.onBehalf(ctx, m.ConsentID)
	if err != nil {
		return err
	}
	if r.PSU != nil {
		if r.RemoteID, err = s.reopen(ctx, m, r); err != nil {
			return err
		}
	}
	revoker := s.Institutions.Of(m.Company).Revoker
	if revoker == nil {
		return errNotConfigured
	}
	access := institution.Access{ConsentID: r.RemoteID, Token: r.Token, Refresh: r.Refresh}
	err = revoker.Revoke(ctx, access)
	if refresher := s.Institutions.Of(m.Company).Refresher; refresher != nil && r.Refresh != "" && institution.KindOf(err) == institution.TokenRefused {
		if access, err = s.refreshMessage(ctx, m, refresher, access); err == nil {
			err = revoker.Revoke(ctx, access)
		} else if institution.KindOf(err) == institution.ConsentGone && s.doubts(m) {
			return errors.Join(errDoubted, err)
		}
	}
	if err != nil && r.Refresh != "" && institution.KindOf(err) == institution.ConsentGone {
		return nil // the tokens are dead
	}
	return err
}

// errDoubted says that the bank has refused the refresh token of a message, and that this is
// not believed yet.
var errDoubted = errors.New("the bank refuses the refresh token")

// doubts reports whether a refusal of the refresh token of a message is not believed: it is
// the first one, or the bank refuses those of many (consent.Denial). The bank would keep what
// was revoked.
func (s *Service) doubts(m *outbox.Message) bool {
	now := s.Clock.Now()
	return now.Before(m.CreatedAt.Add(consent.DenialConfirmedAfter)) || slices.Contains(s.denials.suspected(now), m.Company)
}

// refreshMessage replaces the tokens of a message, which have run out, and stores them.
// Errors: ConsentGone if the bank has ended the grant.
func (s *Service) refreshMessage(ctx context.Context, m *outbox.Message, by institution.Refresher, a institution.Access) (institution.Access, error) {
	got, err := by.Refresh(ctx, a)
	s.Observer.Refreshed(m.Company, refreshOutcome(err, institution.KindOf(err) == institution.ConsentGone))
	if err != nil {
		return a, err
	}
	now := consent.Tokens{Access: a.Token, Refresh: a.Refresh}.Replaced(got)
	a.Token, a.Refresh = now.Access, now.Refresh
	if m.Sealed, err = s.sealRevocation(ctx, m.ID, outbox.Revocation{RemoteID: a.ConsentID, Token: a.Token, Refresh: a.Refresh}); err != nil {
		return a, err
	}
	ctx = context.WithoutCancel(ctx)
	return a, s.stored(consent.Consent{ID: m.ConsentID, Company: m.Company}, func() error {
		return s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, *m) })
	})
}

// delivered deletes a message and records the delivery in the audit log.
// Errors: store.ErrNotFound when another node has done it.
func (s *Service) delivered(ctx context.Context, m outbox.Message) error {
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.DeleteOutboxMessage(ctx, m.ID); err != nil {
			return err
		}
		c, err := tx.Consent(ctx, m.ConsentID)
		if err != nil {
			return err
		}
		return tx.AddAuditEntry(ctx, audit.OfDelivery(s.IDs, c, m, s.Clock.Now()))
	})
}

// refusedWithin is how long a revocation is tried that the bank refuses. It is longer than an
// outage of a bank.
const refusedWithin = 7 * 24 * time.Hour

// givenUp returns why a revocation that failed is not tried again by itself, one of the
// constants audit.GivenUp, or "": the validity of the consent is over, so that the bank has
// ended it, or the bank has long refused it. c has no id if the consent is not known.
func (s *Service) givenUp(c consent.Consent, m outbox.Message, failure error) string {
	now := s.Clock.Now()
	long := !now.Before(m.CreatedAt.Add(refusedWithin))
	switch {
	case c.ID != "" && !now.Before(c.ExpiresAt):
		return audit.GivenUpOver
	case long && institution.KindOf(failure) == institution.TokenRefused:
		return audit.GivenUpToken
	case long && refusesRevocation(failure):
		return audit.GivenUpRefused
	}
	return ""
}

// refusesRevocation reports whether a failure is the bank's answer to a revocation that it
// does not accept, such as one with a code of its own. That it has too much to do or cannot be
// reached, or that our certificate is at fault, passes, or is mended, without anybody who lets
// the message try again.
func refusesRevocation(failure error) bool {
	if errors.Is(failure, errDoubted) || errors.Is(failure, errNotConfigured) {
		return false
	}
	switch kind := institution.KindOf(failure); kind {
	case institution.CertificateRejected, institution.AccessExceeded:
		return false
	default:
		return !kind.Transient()
	}
}

// giveUpDelivery writes to the audit log that the bank has not confirmed a revocation. A
// message that an operator may want to try again, after having asked the bank, is parked by
// the returned error; any other is deleted.
func (s *Service) giveUpDelivery(ctx context.Context, c consent.Consent, m outbox.Message, why string, failure error) error {
	s.Log.Warn("a revocation was not delivered, and is given up", "company", m.Company, "consent", m.ConsentID, "why", why, "attempts", m.Attempts, "error", failure)
	parks := why == audit.GivenUpRefused
	err := s.Store.Write(ctx, func(tx store.Tx) error {
		if !parks {
			if err := tx.DeleteOutboxMessage(ctx, m.ID); err != nil {
				return err
			}
		}
		if c.ID == "" {
			return nil
		}
		return tx.AddAuditEntry(ctx, audit.OfGivenUp(s.IDs, c, m, why, s.Clock.Now()))
	})
	if err == nil && parks {
		return jobs.Park(fmt.Errorf("the bank does not accept the revocation: ask it, then let the job try again: %w", failure))
	}
	return err
}

// retryDelivery stores when a message is tried again, or gives it up.
// Errors: store.ErrNotFound when another node has delivered it.
func (s *Service) retryDelivery(ctx context.Context, m outbox.Message, failure error) error {
	m.Attempts++
	c, err := s.Store.Consent(ctx, m.ConsentID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if why := s.givenUp(c, m, failure); why != "" {
		return s.giveUpDelivery(ctx, c, m, why, failure)
	}
	now, end := s.Clock.Now(), m.CreatedAt.Add(reopenWithin)
	m.WakeAt = now.Add(clock.Backoff(m.Attempts, firstRetry, longestRetry))
	if now.Before(end) && m.WakeAt.After(end) {
		m.WakeAt = end // a message that repeats an opening must not outlive it
	}
	if believed := m.CreatedAt.Add(consent.DenialConfirmedAfter); errors.Is(failure, errDoubted) && m.WakeAt.Before(believed) {
		m.WakeAt = believed
	}
	if m.Attempts > quietAttempts || errors.Is(failure, errNotConfigured) {
		s.Log.Warn("a revocation is not delivered yet", "company", m.Company, "consent", m.ConsentID,
			"attempts", m.Attempts, "error", failure)
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, m) })
}

// onBehalf returns a context for work on behalf of the user of a consent: a person with several
// consents counts once. The id of the user is in the consent also after an erasure.
func (s *Service) onBehalf(ctx context.Context, id consent.ID) (context.Context, error) {
	c, err := s.Store.Consent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return ctx, nil
	}
	if err != nil {
		return ctx, fmt.Errorf("read consent %s: %w", id, err)
	}
	return institution.WithSubject(ctx, c.Subject()), nil
}
