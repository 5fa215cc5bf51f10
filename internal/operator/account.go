package operator

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Account is an operator as it is stored.
type Account struct {
	Operator
	Created time.Time
	Removed time.Time // zero: not removed. A removed account stays, because the audit log names it.
	// Enrol is the hash of the secret in the link with which the operator chooses how to
	// sign in; "" = there is no such link. It works until EnrolBy.
	Enrol   string
	EnrolBy time.Time
	Sealed  []byte // Secret, sealed for the server
	Rev     int64
}

// Enrolling reports whether the link of the account works.
func (a Account) Enrolling(now time.Time) bool {
	return a.Removed.IsZero() && a.Enrol != "" && now.Before(a.EnrolBy)
}

// Secret is how an operator signs in. Each way has two factors: a passkey verifies the
// person (what they have, and a finger or a PIN), a password goes with a code.
type Secret struct {
	Password string    `json:"password,omitempty"` // argon2id; "" = none
	TOTP     []byte    `json:"totp,omitempty"`     // key of RFC 6238
	Step     int64     `json:"step,omitempty"`     // of the last code: it works once
	Codes    []string  `json:"codes,omitempty"`    // hashes of recovery codes that are left
	Passkeys []Passkey `json:"passkeys,omitempty"`
}

// Passkey is a credential of WebAuthn.
type Passkey struct {
	ID         string    `json:"id"`   // ours
	Name       string    `json:"name"` // such as "Firefox on Linux": where it was made
	Made       time.Time `json:"made"`
	Used       time.Time `json:"used,omitzero"`
	Credential []byte    `json:"credential"` // JSON of the library that verifies
}

// Ways returns how many ways to sign in there are.
func (s Secret) Ways() int {
	n := len(s.Passkeys)
	if s.Password != "" {
		n++
	}
	return n
}

// HashOf returns the hash of a secret of 128 bits or more, as it is stored.
func HashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// TryKey returns the name under which attempts to sign in with a name are counted. Names
// that no account has are counted like the others, so that nothing tells them apart; what
// somebody typed is not kept.
func TryKey(name string) string {
	return HashOf("operator " + strings.ToLower(strings.TrimSpace(name)))
}
