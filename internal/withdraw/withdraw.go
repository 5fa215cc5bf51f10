// Package withdraw owns what is still owed when a consent ends here: telling the
// bank. The payload is sealed under the system's key, because it must outlive
// the key of a person who is forgotten. Whoever ends a consent plans the duty;
// the flow that performs duties opens it.
package withdraw

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/seal"
)

// Payload is what is needed to delete a consent at its bank.
type Payload struct {
	RemoteID consent.RemoteID `json:"bank"`
	Token    string           `json:"token,omitempty"` // bearer token, where the bank gave one
}

// SecretPlace is where a consent's secret is stored.
func SecretPlace(id consent.ID) seal.Place {
	return seal.Place{Table: "consents", Column: "sealed", Row: string(id)}
}

func dutyPlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// Plan makes the duty to revoke c at its bank, due at now. The answer is false
// when there is nothing to tell: the bank has given no consent yet, or the
// secret went with the subject's key. Plan reads the subject's key from the
// store and must therefore not run inside a transaction. Errors: seal.ErrDecryption,
// the key store's.
func Plan(ctx context.Context, vault seal.Vault, c consent.Consent, now time.Time, newID func() string) (outbox.Message, bool, error) {
	if len(c.Sealed) == 0 {
		return outbox.Message{}, false, nil
	}
	plain, err := vault.Open(ctx, c.Subject(), SecretPlace(c.ID), c.Sealed)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return outbox.Message{}, false, nil
	}
	if err != nil {
		return outbox.Message{}, false, fmt.Errorf("withdraw: open the secret of consent %s: %w", c.ID, err)
	}
	var secret consent.Secret
	if err := json.Unmarshal(plain, &secret); err != nil {
		return outbox.Message{}, false, fmt.Errorf("withdraw: the secret of consent %s does not parse", c.ID) // err quotes it
	}
	if secret.RemoteID == "" {
		return outbox.Message{}, false, nil
	}
	d := outbox.Message{
		ID: newID(), Kind: outbox.RevokeConsent, Company: c.Company, ConsentID: c.ID,
		CreatedAt: now, WakeAt: now,
	}
	d.Sealed, err = Seal(ctx, vault, d.ID, Payload{RemoteID: secret.RemoteID, Token: secret.Token})
	return d, err == nil, err
}

// Seal seals a payload for the duty with the given id.
func Seal(ctx context.Context, vault seal.Vault, dutyID string, p Payload) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("withdraw: write a payload: %w", err)
	}
	return vault.Seal(ctx, seal.System, dutyPlace(dutyID), plain)
}

// Open opens the payload of a duty. Errors: seal.ErrDecryption.
func Open(ctx context.Context, vault seal.Vault, d outbox.Message) (Payload, error) {
	var p Payload
	plain, err := vault.Open(ctx, seal.System, dutyPlace(d.ID), d.Sealed)
	if err != nil {
		return p, fmt.Errorf("withdraw: open duty %s: %w", d.ID, err)
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("withdraw: the payload of duty %s does not parse", d.ID) // err quotes it
	}
	return p, nil
}
