// Package opaque makes texts that only the simulated bank that made them accepts: the links
// and keys of further pages, and ids that say nothing about a person.
package opaque

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
)

// Key is a secret of one run of a bank.
type Key [32]byte

// macSize is the length of the codes, in bytes.
const macSize = 16

// New returns a new key.
func New(random io.Reader) (k Key, err error) {
	if _, err := io.ReadFull(random, k[:]); err != nil {
		return k, fmt.Errorf("opaque: reading randomness: %w", err)
	}
	return k, nil
}

// MAC returns the authentication code of a text, 16 bytes.
func (k Key) MAC(text string) []byte {
	m := hmac.New(sha256.New, k[:])
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)[:macSize]
}

// Seal returns v, which must be of numbers and texts, as a text that Open of this key reads.
func (k Key) Seal(v any) string {
	text, _ := json.Marshal(v) // numbers and texts: it cannot fail
	return base64.RawURLEncoding.EncodeToString(append(k.MAC(string(text)), text...))
}

// Open decodes what Seal has made into v. It reports false for any other text.
func (k Key) Open(sealed string, v any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	return err == nil && len(raw) >= macSize && hmac.Equal(raw[:macSize], k.MAC(string(raw[macSize:]))) && json.Unmarshal(raw[macSize:], v) == nil
}
