package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/jsontext"
)

// errKey is the error of a key that cannot sign in an algorithm.
var errKey = errors.New("oauth: the key cannot be used: PS256 and RS256 need an RSA key of at least 2048 bits, ES256 one of P-256")

// Signer signs JWTs with one key: client assertions, request objects, and our own tokens at
// Enable Banking. It is safe for concurrent use.
type Signer struct {
	signer jose.Signer
}

// NewSigner returns a signer. algorithm is PS256, RS256 or ES256; "" = PS256 for an RSA
// key, ES256 for one of P-256. keyID goes into the header kid, as the bank knows the key.
// Errors: the key does not fit the algorithm.
func NewSigner(key crypto.PrivateKey, algorithm, keyID string) (*Signer, error) {
	allowed := []string{}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() >= 2048 {
			allowed = []string{"PS256", "RS256"}
		}
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			allowed = []string{"ES256"}
		}
	}
	for _, a := range allowed {
		if algorithm != "" && algorithm != a {
			continue
		}
		options := (&jose.SignerOptions{}).WithType("JWT")
		if keyID != "" {
			options = options.WithHeader("kid", keyID)
		}
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(a), Key: key}, options)
		if err != nil {
			return nil, errKey
		}
		return &Signer{s}, nil
	}
	return nil, errKey
}

// Sign returns the compact form of a JWT with the claims (RFC 7515 3.1, RFC 7519).
func (s *Signer) Sign(claims map[string]any) (Secret, error) {
	payload, err := jsontext.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("oauth: claims: %w", err)
	}
	signed, err := s.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: sign: %w", err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("oauth: sign: %w", err)
	}
	return Secret(text), nil
}
