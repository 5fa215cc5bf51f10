package obie

import (
	"slices"
	"time"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/signed"
)

// ConsentInfo is a consent in the operator's list. It contains no personal data.
type ConsentInfo struct {
	ID      string       `json:"consentId"`
	Bank    string       `json:"bank"`
	Status  grant.Status `json:"status"`
	Deleted bool         `json:"deleted,omitempty"`
	Created time.Time    `json:"created"`
	SCA     time.Time    `json:"sca,omitzero"` // last authorisation
	Expires time.Time    `json:"expires,omitzero"`
	Tokens  bool         `json:"tokens"` // a refresh token lives
}

// List returns all consents, oldest first.
func (b *Bank) List() []ConsentInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Clock.Now()
	living := map[string]bool{}
	for _, t := range b.tokens {
		if t.Kind == grant.Refresh && t.Lives(*b.consents[t.Consent], 0, now) {
			living[t.Consent] = true
		}
	}
	out := make([]ConsentInfo, 0, len(b.order))
	for _, id := range b.order {
		c := b.consent(id)
		out = append(out, ConsentInfo{c.ID, b.Company, c.Status, c.Deleted, c.Created, c.SCA, c.Expires, living[id]})
	}
	return out
}

// Revoke ends access as the person would at the bank: the tokens die, and the consent's
// status stays as it is. It reports false for an unknown id, and returns grant.ErrState if
// the consent is not authorised.
func (b *Bank) Revoke(consentID string) (bool, error) {
	return b.change(consentID, grant.Ended{})
}

// Reauthenticate makes the bank refuse reads of the consent with UK.OBIE.Reauthenticate
// until new tokens are issued. Its results are those of Revoke.
func (b *Bank) Reauthenticate(consentID string) (bool, error) {
	return b.change(consentID, grant.Reauthentication{})
}

func (b *Bank) change(consentID string, e grant.ConsentEvent) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.consent(consentID)
	if c == nil {
		return false, nil
	}
	return true, b.apply(c, e)
}

// SetVariant makes the next approval answer wrongly; the zero value takes that back.
func (b *Bank) SetVariant(v signed.Variant) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.variant = v
}

// RotateKey replaces the key that signs: the bank publishes only the new one.
func (b *Bank) RotateKey() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.keyAt(b.rotated + 1); err != nil {
		return err
	}
	b.rotated++
	b.write(entry{Rotated: &b.rotated})
	return nil
}

// AllowRedirect registers a redirect URI of a client. It reports false for an unknown
// client.
func (b *Bank) AllowRedirect(client, uri string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := redirectEntry{client, uri}
	if b.clients[client] == nil {
		return false
	}
	if b.register(r) {
		b.write(entry{Redirect: &r})
	}
	return true
}

// register adds an address and reports whether it is a new one.
func (b *Bank) register(r redirectEntry) bool {
	c := b.clients[r.Client]
	if c == nil || slices.Contains(c.RedirectURIs, r.URI) {
		return false
	}
	c.RedirectURIs = append(c.RedirectURIs, r.URI)
	b.registered = append(b.registered, r)
	return true
}
