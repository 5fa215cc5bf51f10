package grant

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"
)

const (
	// LoginWithin is how long the page of a login can be used.
	LoginWithin = 15 * time.Minute
	// CodeLifetime is how long a code can be exchanged (docs/reference/families.md 15.2, O7).
	CodeLifetime = time.Minute
)

// Login is one visit of the person to the bank's page.
type Login struct {
	ID          string    `json:"id"`
	Consent     string    `json:"consent"`
	Client      string    `json:"client"`
	RedirectURI string    `json:"redirectUri"`
	State       string    `json:"state,omitempty"`
	Nonce       string    `json:"nonce"`
	Challenge   string    `json:"challenge,omitempty"` // PKCE, S256; empty: none
	ACR         string    `json:"acr"`
	Started     time.Time `json:"started"`
	Over        bool      `json:"over,omitempty"`    // the person was sent back
	Address     string    `json:"address,omitempty"` // whereto
}

// Open reports whether the person can still decide.
func (l Login) Open(now time.Time) bool { return !l.Over && now.Sub(l.Started) <= LoginWithin }

// Code is an authorisation code. The bank stores its hash only.
type Code struct {
	Hash        string    `json:"hash"`
	Consent     string    `json:"consent"`
	Client      string    `json:"client"`
	RedirectURI string    `json:"redirectUri"`
	Nonce       string    `json:"nonce"`
	Challenge   string    `json:"challenge,omitempty"`
	ACR         string    `json:"acr"`
	Generation  int       `json:"generation"` // of the consent when the person approved
	Issued      time.Time `json:"issued"`
	Used        bool      `json:"used,omitempty"`
}

// Exchange is a request to exchange a code.
type Exchange struct {
	Client      string
	RedirectURI string
	Verifier    string // PKCE
}

// Redeem returns the code after the request, and whether the client gets tokens for it.
// Every request of its client uses the code up, whatever is wrong with it: a guess
// cannot be corrected (docs/reference/families.md 14.3).
func (c Code) Redeem(e Exchange, consent Consent, now time.Time) (Code, bool) {
	if e.Client != c.Client {
		return c, false
	}
	granted := !c.Used && now.Sub(c.Issued) <= CodeLifetime && e.RedirectURI == c.RedirectURI &&
		verified(c.Challenge, e.Verifier) && consent.Status == Authorised && consent.Generation == c.Generation && !consent.Expired(now)
	c.Used = true
	return c, granted
}

// verified reports whether the verifier is that of the challenge (RFC 7636 4.6, S256). A
// verifier without a challenge is an error too: somebody removed the challenge.
func verified(challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return challenge == verifier
	}
	return subtle.ConstantTimeCompare([]byte(Hash(verifier)), []byte(challenge)) == 1
}

// Hash is the SHA-256 of a secret in base64url without padding. It is also the S256
// challenge of a verifier.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
