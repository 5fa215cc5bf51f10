// Package client owns tenants and their API keys. A client is a backend that uses this
// server. No client can see what belongs to another.
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
	Identity  Identity // for persons; the zero value: nothing is registered
}

// Hash is the SHA-256 of an API key; only it is stored. Keys have 256 random bits, so a
// plain hash is enough: they cannot be guessed.
type Hash [sha256.Size]byte

// Key is an API key as stored. The key itself is shown only once, when it is created.
type Key struct {
	ID        string // UUID; identifies the key in lists and for revocation
	ClientID  string
	Name      string // for the operator
	Hash      Hash
	CreatedAt time.Time
	RevokedAt time.Time // zero while the key is valid
}

// Valid reports whether the key gives access.
func (k Key) Valid() bool { return k.RevokedAt.IsZero() }

// keyPrefix lets secret scanners recognise a key in a repository or log.
const keyPrefix = "samla_"

// NewSecret returns the text of a new API key: the prefix samla_ and 256 bits from
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

// HashOf returns the hash of the text of a key. A key that the operator chooses need
// not have the prefix.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }
