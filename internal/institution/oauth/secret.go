package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a token, a code, a state, a code verifier or a client secret. Every verb of
// package fmt and every log record shows it masked; Reveal returns it. Its JSON form is
// complete.
type Secret string

// Reveal returns the secret itself, for a request.
func (s Secret) Reveal() string { return string(s) }

// Is reports whether the other secret is the same and not empty. It takes the same time
// wherever they differ.
func (s Secret) Is(other Secret) bool {
	return s != "" && subtle.ConstantTimeCompare([]byte(s), []byte(other)) == 1
}

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	if s == "" {
		fmt.Fprint(f, "[no secret]")
		return
	}
	fmt.Fprint(f, "[secret]")
}

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(s)) }

// randomBytes is the size of a state, a nonce and a code verifier. In base64url they have
// 43 characters, the least that RFC 7636 4.1 allows a verifier.
const randomBytes = 32

// NewSecret returns 256 random bits in base64url, 43 characters: a state, a nonce or a
// code verifier (RFC 7636 4.1). A nil random is the machine's. Errors: those of random.
func NewSecret(random io.Reader) (Secret, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, randomBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("oauth: random: %w", err)
	}
	return Secret(base64.RawURLEncoding.EncodeToString(b)), nil
}

// Challenge returns the S256 code challenge of a verifier (RFC 7636 4.2). The form
// "plain" is not offered: it protects nothing that a reader of the address can see.
func Challenge(verifier Secret) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
