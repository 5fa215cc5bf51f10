package authorize

import (
	"context"
	"encoding/json"
	"fmt"

	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/seal"
)

// messagePlace is where the payload of an outbox message is stored.
func messagePlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// revocationOf is what revokes a consent whose secret is s.
func revocationOf(s consent.Secret) outbox.Revocation {
	a := accessOf(s)
	return outbox.Revocation{RemoteID: a.ConsentID, Token: a.Token, Refresh: a.Refresh}
}

// revocation plans the message that revokes a consent at its bank, due now. It
// must not run inside a transaction, because sealing may read the key store.
func (s *Service) revocation(ctx context.Context, c consent.Consent, r outbox.Revocation) (*outbox.Message, error) {
	return s.revocationAs(ctx, s.IDs.New(), c, r)
}

// revocationAs is revocation with the id of the message.
func (s *Service) revocationAs(ctx context.Context, id string, c consent.Consent, r outbox.Revocation) (*outbox.Message, error) {
	now := s.Clock.Now()
	sealed, err := s.sealRevocation(ctx, id, r)
	return &outbox.Message{ID: id, Kind: outbox.RevokeConsent, Company: c.Company, ConsentID: c.ID,
		CreatedAt: now, WakeAt: now, Sealed: sealed}, err
}

func (s *Service) sealRevocation(ctx context.Context, id string, r outbox.Revocation) ([]byte, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode a revocation: %w", err)
	}
	return s.Vault.Seal(ctx, seal.System, messagePlace(id), plain)
}

// OpenRevocation opens the payload of a message of the kind RevokeConsent.
// Errors: seal.ErrDecryption; the text of an error repeats nothing of the payload.
func OpenRevocation(ctx context.Context, vault seal.Vault, m outbox.Message) (outbox.Revocation, error) {
	var r outbox.Revocation
	plain, err := vault.Open(ctx, seal.System, messagePlace(m.ID), m.Sealed)
	if err != nil {
		return r, fmt.Errorf("open outbox message %s: %w", m.ID, err)
	}
	if json.Unmarshal(plain, &r) != nil {
		return r, fmt.Errorf("the payload of outbox message %s does not parse", m.ID)
	}
	return r, nil
}
