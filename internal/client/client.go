// Package client owns tenants and their API keys. A client is a backend that
// uses this server; everything it makes is invisible to every other client.
package client

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"time"
)

// Client is a tenant.
type Client struct {
	ID        string // UUID
	Name      string // for the operator
	CreatedAt time.Time
}

// Hash is what is kept of an API key: SHA-256 of its text. Keys carry 256
// random bits, so a plain hash can be looked up and not be guessed.
type Hash [sha256.Size]byte

// Key is an API key as stored. The key itself is shown once, when it is made.
type Key struct {
	ID        string // UUID, names the key in listings and on revocation
	ClientID  string
	Name      string // for the operator
	Hash      Hash
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is valid
}

// Valid reports whether the key opens anything.
func (k Key) Valid() bool { return k.RevokedAt.IsZero() }

// keyPrefix lets secret scanners recognise a key in a repository or log.
const keyPrefix = "samla_"

// NewSecret makes the text of an API key: the prefix samla_ and 256 bits from
// random in URL-safe base64.
func NewSecret(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	var bits [32]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", err
	}
	return keyPrefix + base64.RawURLEncoding.EncodeToString(bits[:]), nil
}

// HashOf hashes the text of a key for storing or look-up. Any text hashes: a
// key given by the operator need not carry the prefix.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }
