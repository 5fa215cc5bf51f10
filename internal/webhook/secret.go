package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Overlap is how long the secret before a rotation stays valid.
const Overlap = 24 * time.Hour

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // of the key; Standard Webhooks asks for 24 to 64
)

// Secret is the secret of an endpoint as it is shown: whsec_ and the key in base64. It
// prints masked.
type Secret string

// NewSecret makes a secret of random bytes.
func NewSecret(random io.Reader) (Secret, error) {
	key := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return "", fmt.Errorf("webhook: make a secret: %w", err)
	}
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key)), nil
}

// ParseSecret reads a secret as it was shown.
func ParseSecret(text string) (Secret, error) {
	if _, err := Secret(text).key(); err != nil {
		return "", err
	}
	return Secret(text), nil
}

var errSecret = errors.New("webhook: a secret is whsec_ and 24 to 64 bytes in base64")

// key returns the key of Standard Webhooks: the decoded part after the prefix.
func (s Secret) key() ([]byte, error) {
	text, ok := strings.CutPrefix(string(s), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errSecret
	}
	return key, nil
}

// Reveal returns the text of the secret, for the answer that shows it.
func (s Secret) Reveal() string { return string(s) }

// String returns a mask.
func (s Secret) String() string { return secretPrefix + "…" }

// GoString returns a mask.
func (s Secret) GoString() string { return s.String() }

// LogValue returns a mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Rotate makes fresh the current secret. The one before stays valid for Overlap, unless
// immediate is set; the one before that is dropped at once.
func (c Confidential) Rotate(fresh Secret, now time.Time, immediate bool) Confidential {
	c.Previous, c.Until = c.Current, now.Add(Overlap)
	if immediate {
		c.Previous, c.Until = "", time.Time{}
	}
	c.Current = fresh
	return c
}

// Secrets returns the secrets that are valid at a time, the oldest first: one or two.
func (c Confidential) Secrets(now time.Time) []Secret {
	if c.Previous != "" && now.Before(c.Until) {
		return []Secret{c.Previous, c.Current}
	}
	return []Secret{c.Current}
}
