package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/outbox"
	"samla/internal/store"
)

// The gaps between tries to tell a bank that a consent has ended.
const (
	firstRetry   = time.Second
	longestRetry = time.Hour
)

// errRevoked says that there is nothing left to revoke.
var errRevoked = errors.New("the consent is revoked already")

// Revoke ends a consent of the user at once; the bank is told with retries
// (docs/reference/api.md 4.5). A revoked consent is handed back unchanged. Faults:
// ConsentNotFound, ConsentNotRevocable.
func (s *Service) Revoke(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, error) {
	after, err := s.endBy(ctx, id, func(c consent.Consent) (consent.Event, error) {
		switch {
		case c.ClientID != clientID, c.UserID != userID, c.CollectionID != "":
			return nil, store.ErrNotFound
		case c.Status == consent.Revoked:
			return nil, errRevoked
		}
		return consent.Withdrawn{Cause: consent.CauseUser}, nil
	})
	var illegal *consent.IllegalError
	switch {
	case errors.Is(err, errRevoked):
		return after, nil
	case errors.Is(err, store.ErrNotFound):
		return after, fault.New(fault.ConsentNotFound)
	case errors.As(err, &illegal):
		return after, fault.New(fault.ConsentNotRevocable)
	}
	return after, err
}

// Doubt follows up what a collection has met at the bank: a refusal that may mean
// the end of the consent. The bank's own status decides which end it is; where
// it does not answer, or calls a consent valid under which it demands a new
// signature, the refusal does.
func (s *Service) Doubt(ctx context.Context, c consent.Consent, met institution.ErrorKind) error {
	var e consent.Event
	switch met {
	case institution.ConsentGone:
		e = consent.Withdrawn{Cause: consent.CauseBankRefused}
	case institution.ConsentOver:
		e = consent.Expiry{Cause: consent.CauseBankRefused}
	case institution.SCARequired:
		e = consent.Expiry{Cause: consent.CauseNewSignature}
	default:
		return nil
	}
	if reader := s.Institutions[c.Company].ConsentReader; reader != nil {
		a, _, err := s.Access(ctx, c)
		if err != nil {
			return err
		}
		info, err := reader.Consent(ctx, a)
		if told := eventOf(info, err); told != nil {
			e = told
		} else if err == nil && met != institution.SCARequired {
			return nil
		}
	}
	_, err := s.End(ctx, c.ID, e)
	var illegal *consent.IllegalError
	if errors.As(err, &illegal) {
		return nil // it has ended meanwhile
	}
	return err
}

// Discharge tries to tell a bank that a consent has ended; it is the handler of
// the queue of duties. It tries until the bank has heard.
func (s *Service) Discharge(ctx context.Context, id string) error {
	duty, err := s.Store.OutboxMessage(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	told := s.tell(ctx, duty)
	ctx = context.WithoutCancel(ctx)
	if told == nil {
		return s.Store.Write(ctx, func(tx store.Tx) error {
			if err := tx.DeleteOutboxMessage(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			c, err := tx.Consent(ctx, duty.ConsentID)
			if err != nil {
				return err
			}
			return tx.AddAuditEntry(ctx, audit.OfBankTold(s.IDs, c, duty, s.Clock.Now()))
		})
	}
	duty.Attempts++
	wait := clock.Backoff(duty.Attempts, firstRetry, longestRetry)
	duty.WakeAt = s.Clock.Now().Add(wait)
	if duty.Attempts > 3 {
		s.Log.Warn("a bank has not heard of a revocation yet", "company", duty.Company, "consent", duty.ConsentID,
			"attempts", duty.Attempts, "error", told)
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, duty) })
}

func (s *Service) tell(ctx context.Context, duty outbox.Message) error {
	revoker := s.Institutions[duty.Company].Revoker
	if revoker == nil {
		return errors.New("no bank is set up that could be told")
	}
	payload, err := OpenRevocation(ctx, s.Vault, duty)
	if err != nil {
		return err
	}
	// Its subject may be erased: the consent stands for it.
	ctx = institution.WithSubject(ctx, string(duty.ConsentID))
	return revoker.Revoke(ctx, institution.Access{ConsentID: payload.RemoteID, Token: payload.Token})
}
