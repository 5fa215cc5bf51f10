package authorize

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
	"samla/internal/withdraw"
)

// sealed returns c with its secret sealed in it.
func (s *Service) sealed(ctx context.Context, c consent.Consent, secret consent.Secret) (consent.Consent, error) {
	plain, err := json.Marshal(secret)
	if err != nil {
		return c, fmt.Errorf("write a consent's secret: %w", err)
	}
	c.Sealed, err = s.Vault.Seal(ctx, c.Subject(), withdraw.SecretPlace(c.ID), plain)
	return c, err
}

// secret opens what is sealed in c.
func (s *Service) secret(ctx context.Context, c consent.Consent) (consent.Secret, error) {
	var secret consent.Secret
	plain, err := s.Vault.Open(ctx, c.Subject(), withdraw.SecretPlace(c.ID), c.Sealed)
	if err != nil {
		return secret, fmt.Errorf("open a consent's secret: %w", err)
	}
	if err := json.Unmarshal(plain, &secret); err != nil {
		return secret, fmt.Errorf("read a consent's secret: %w", err)
	}
	return secret, nil
}

// Add stores a drafted consent and its entry in the ledger.
func (s *Service) Add(ctx context.Context, tx store.Tx, c consent.Consent) error {
	if err := tx.AddConsent(ctx, c); err != nil {
		return err
	}
	return s.note(ctx, tx, c)
}

// Put stores a changed consent within tx: the row itself, its entry in the
// ledger when the status changed, and a sign to the collection that waits for
// it. It is a compare-and-swap on c.Rev.
func (s *Service) Put(ctx context.Context, tx store.Tx, before, c consent.Consent) (consent.Consent, error) {
	c, err := tx.PutConsent(ctx, c)
	if err != nil || c.Status == before.Status {
		return c, err
	}
	if err := s.note(ctx, tx, c); err != nil {
		return c, err
	}
	if c.CollectionID != "" {
		return c, tx.WakeCollection(ctx, c.CollectionID, s.Clock.Now())
	}
	return c, nil
}

// note enters the status that a consent has just come to into the ledger.
func (s *Service) note(ctx context.Context, tx store.Tx, c consent.Consent) error {
	e, worth := audit.OfConsent(s.IDs, c, s.Clock.Now())
	if !worth {
		return nil
	}
	return tx.AddAuditEntry(ctx, e)
}

// save commits a change of c, to be looked at again at wake (zero = never).
func (s *Service) save(ctx context.Context, before, c consent.Consent, wake time.Time) (consent.Consent, error) {
	c.WakeAt = wake
	var after consent.Consent
	err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
		after, err = s.Put(ctx, tx, before, c)
		return err
	})
	if err != nil {
		return before, err
	}
	if !after.Status.Pending() {
		s.live.drop(c.ID)
	}
	if c.CollectionID != "" && c.Status != before.Status {
		s.Pump.Wake(store.Collections)
	}
	return after, nil
}

// Access is what a bank needs to know an authorized consent again, without any
// word of the person, and the person's locale.
func (s *Service) Access(ctx context.Context, c consent.Consent) (institution.Access, string, error) {
	secret, err := s.secret(ctx, c)
	return institution.Access{ConsentID: secret.RemoteID, Token: secret.Token}, secret.Locale, err
}
