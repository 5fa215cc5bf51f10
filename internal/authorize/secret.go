package authorize

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
)

// SecretPlace is where a consent's secret is stored.
func SecretPlace(id consent.ID) seal.Place {
	return seal.Place{Table: "consents", Column: "sealed", Row: string(id)}
}

// sealSecret returns c with its secret sealed in it.
func (s *Service) sealSecret(ctx context.Context, c consent.Consent, secret consent.Secret) (consent.Consent, error) {
	plain, err := json.Marshal(secret)
	if err != nil {
		return c, fmt.Errorf("encode the secret of a consent: %w", err)
	}
	c.Sealed, err = s.Vault.Seal(ctx, c.Subject(), SecretPlace(c.ID), plain)
	return c, err
}

// openSecret opens what is sealed in c. Errors: seal.ErrKeyDestroyed,
// seal.ErrDecryption; the text of an error repeats nothing of the secret.
func (s *Service) openSecret(ctx context.Context, c consent.Consent) (consent.Secret, error) {
	var secret consent.Secret
	plain, err := s.Vault.Open(ctx, c.Subject(), SecretPlace(c.ID), c.Sealed)
	if err != nil {
		return secret, fmt.Errorf("open the secret of consent %s: %w", c.ID, err)
	}
	if json.Unmarshal(plain, &secret) != nil {
		return secret, fmt.Errorf("the secret of consent %s does not parse", c.ID)
	}
	return secret, nil
}

// HasRefreshToken reports whether a refresh token is kept with a consent. A secret that does
// not open has none that could be used.
func (s *Service) HasRefreshToken(ctx context.Context, c consent.Consent) (bool, error) {
	secret, err := s.openSecret(ctx, c)
	if errors.Is(err, seal.ErrKeyDestroyed) || errors.Is(err, seal.ErrDecryption) {
		return false, nil
	}
	return secret.Tokens.Refresh != "", err
}

// accessOf returns what a bank needs to recognize a consent, without the person.
func accessOf(s consent.Secret) institution.Access {
	return institution.Access{ConsentID: s.RemoteID, Token: cmp.Or(s.Tokens.Access, s.Token), Refresh: s.Tokens.Refresh}
}

// ReadsPerDay returns how often an authorized consent may be read in 24 hours without
// the person: the least of what the law, the institutions file and the bank allow
// (docs/reference/api.md 5.6).
func (s *Service) ReadsPerDay(ctx context.Context, c consent.Consent) (int, error) {
	limit := min(s.Institutions.Of(c.Company).Profile.DailyLimit, consent.MostReadsPerDay)
	secret, err := s.openSecret(ctx, c)
	if err == nil && secret.ReadsPerDay > 0 {
		limit = min(limit, secret.ReadsPerDay)
	}
	return limit, err
}
