package signed

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// idTokenLife is how long an id_token is valid.
const idTokenLife = 10 * time.Minute

// IDToken is the claims of an id_token.
type IDToken struct {
	Issuer         string           `json:"iss"`
	Subject        string           `json:"sub"`
	Audience       string           `json:"aud"`
	Expires        jwt.NumericDate  `json:"exp"`
	IssuedAt       jwt.NumericDate  `json:"iat"`
	AuthTime       jwt.NumericDate  `json:"auth_time"`
	Nonce          string           `json:"nonce,omitempty"`
	ACR            string           `json:"acr"`
	Intent         string           `json:"openbanking_intent_id,omitempty"`
	CodeHash       string           `json:"c_hash,omitempty"`
	StateHash      string           `json:"s_hash,omitempty"`
	AccessHash     string           `json:"at_hash,omitempty"`
	RefreshExpires *jwt.NumericDate `json:"refresh_token_expires_at,omitempty"`
}

// NewIDToken returns the claims that all id_tokens of a consent have. The subject is the
// consent, as OBIE's security profile allows.
func NewIDToken(issuer, client, consent, nonce, acr string, authTime, now time.Time) IDToken {
	return IDToken{
		Issuer: issuer, Subject: consent, Audience: client, Nonce: nonce, Intent: consent, ACR: acr,
		Expires: *jwt.NewNumericDate(now.Add(idTokenLife)), IssuedAt: *jwt.NewNumericDate(now), AuthTime: *jwt.NewNumericDate(authTime),
	}
}

// Sign signs the id_token with PS256.
func (t IDToken) Sign(k Key) (string, error) { return k.sign(t) }

// HalfHash is the left half of the SHA-256 of a value in base64url: c_hash, s_hash and
// at_hash of a token that is signed with PS256 (OpenID Connect Core 3.3.2.11).
func HalfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
