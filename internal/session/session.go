// Package session owns the rules of session tokens: how long they live and when the keys that
// sign them are made, used and deleted (docs/reference/api.md 1.3); and those of the visits of
// persons to My permissions.
package session

import "time"

// The bounds of a token's lifetime (docs/reference/api.md 1.3).
const (
	DefaultLife = time.Hour
	MinLife     = 5 * time.Minute
	MaxLife     = 24 * time.Hour
)

// SigningKey signs session tokens (Ed25519).
type SigningKey struct {
	ID        string // of the row: s1, s2, …
	CreatedAt time.Time
	Sealed    []byte // private key, sealed under the server's key
	Public    []byte // JWK (RFC 7517)
}
