package httpclient

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"
)

// ErrVariant is wrapped by every error about a signature variant that is none.
var ErrVariant = errors.New("httpclient: signature variant")

// digester computes the header Digest.
type digester struct {
	label string // as the bank wants it spelt
	hash  crypto.Hash
}

// newDigester reads a label: SHA-256 or SHA-512 in any case. The case is kept,
// because some banks insist on theirs (docs/reference/banks.md 9.2).
func newDigester(label string) (digester, error) {
	switch strings.ToUpper(label) {
	case "SHA-256":
		return digester{label, crypto.SHA256}, nil
	case "SHA-512":
		return digester{label, crypto.SHA512}, nil
	}
	return digester{}, ErrVariant
}

// header is the value of Digest, also for an empty body.
func (d digester) header(body []byte) string {
	return d.label + "=" + base64.StdEncoding.EncodeToString(sum(d.hash, body))
}

func sum(h crypto.Hash, b []byte) []byte {
	if h == crypto.SHA512 {
		s := sha512.Sum512(b)
		return s[:]
	}
	s := sha256.Sum256(b)
	return s[:]
}
