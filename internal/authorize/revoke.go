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
	"samla/internal/withdraw"
)

// The gaps between tries to tell a bank that a consent has ended.
const (
	firstRetry   = time.Second
	longestRetry = time.Hour
)

// Revoke ends a consent of the user at once; the bank is told with retries
// (docs/reference/api.md 4.5). A revoked consent is handed back unchanged. Faults:
// ConsentNotFound, ConsentNotRevocable.
func (s *Service) Revoke(ctx context.Context, clientID, userID string, id consent.ID) (consent.Consent, error) {
	for {
		c, err := s.Store.Consent(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && (c.ClientID != clientID || c.UserID != userID || c.CollectionID != "") {
			return c, fault.New(fault.ConsentNotFound)
		}
		if err != nil || c.Status == consent.Revoked {
			return c, err
		}
		after, err := c.Apply(consent.Withdrawn{}, s.Clock.Now())
		if err != nil {
			return c, fault.New(fault.ConsentNotRevocable)
		}
		err = s.finish(ctx, c, after)
		if errors.Is(err, store.ErrConflict) {
			continue // the flow was faster: look again
		}
		return after, err
	}
}

// Doubt follows up what a collection has met at the bank: a refusal that may mean
// the end of the consent. The bank's own status decides which end it is; where
// it does not answer, or calls a consent valid under which it demands a new
// signature, the refusal does.
func (s *Service) Doubt(ctx context.Context, c consent.Consent, met institution.ErrorKind) error {
	var e consent.Event
	switch met {
	case institution.ConsentGone:
		e = consent.Withdrawn{}
	case institution.ConsentOver, institution.SCARequired:
		e = consent.Ended{}
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
	return s.learn(ctx, c.ID, e)
}

// learn applies what the bank has told about a consent, if it still applies.
func (s *Service) learn(ctx context.Context, id consent.ID, e consent.Event) error {
	for {
		c, err := s.Store.Consent(ctx, id)
		if err != nil {
			return err
		}
		after, err := c.Apply(e, s.Clock.Now())
		if err != nil {
			return nil
		}
		if err = s.finish(ctx, c, after); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// finish commits a final state and, in the same transaction, the duty to tell
// the bank.
func (s *Service) finish(ctx context.Context, before, after consent.Consent) error {
	duty, owed, err := s.Owed(ctx, before, after)
	if err != nil {
		return err
	}
	after.WakeAt = time.Time{}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := s.Put(ctx, tx, before, after); err != nil || !owed {
			return err
		}
		return tx.AddOutboxMessage(ctx, duty)
	})
	if err != nil {
		return err
	}
	s.Ended(after)
	return nil
}

// Owed plans the duty that a consent's end leaves behind: the bank is told of
// every end but an expiry, which it knows of itself.
func (s *Service) Owed(ctx context.Context, before, after consent.Consent) (outbox.Message, bool, error) {
	if after.Status == consent.Expired {
		return outbox.Message{}, false, nil
	}
	return withdraw.Plan(ctx, s.Vault, before, s.Clock.Now(), s.IDs.New)
}

// Ended tells the rest of the process of a final state that was committed.
func (s *Service) Ended(c consent.Consent) {
	s.live.end(c.ID)
	s.Pump.Wake(store.Outbox)
	if c.CollectionID != "" {
		s.Pump.Wake(store.Collections)
	}
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
	payload, err := withdraw.Open(ctx, s.Vault, duty)
	if err != nil {
		return err
	}
	// Its subject may be erased: the consent stands for it.
	ctx = institution.WithSubject(ctx, string(duty.ConsentID))
	return revoker.Revoke(ctx, institution.Access{ConsentID: payload.RemoteID, Token: payload.Token})
}
