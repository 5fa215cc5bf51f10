package signed

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Key is a key of the bank that signs with PS256.
type Key struct {
	ID      string // kid
	private *rsa.PrivateKey
}

// NewKey returns the key under its id, the thumbprint of RFC 7638.
func NewKey(private *rsa.PrivateKey) (Key, error) {
	id, err := KeyID(private.Public())
	return Key{ID: id, private: private}, err
}

// KeyID is the thumbprint of a public key (RFC 7638, SHA-256, base64url).
func KeyID(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("signed: key id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// Public returns the public key as the bank publishes it.
func (k Key) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.ID, Algorithm: string(jose.PS256), Use: "sig"}
}

// sign signs claims with PS256.
func (k Key) sign(claims any) (string, error) {
	return serialise(jose.PS256, k.private, k.ID, claims)
}

func serialise(alg jose.SignatureAlgorithm, key any, id string, claims any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("signed: %w", err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("signed: %w", err)
	}
	return text, nil
}
