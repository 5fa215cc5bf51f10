package httpsig

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
)

// digest computes the header Digest.
type digest struct {
	label string // SHA-256 or SHA-512, spelt as the bank wants it
	hash  crypto.Hash
}

// parseDigest reads a label in any case. The case is kept in the header, because
// some banks insist on theirs (docs/reference/banks.md 9.2).
func parseDigest(label string) (d digest, ok bool) {
	switch strings.ToUpper(label) {
	case "SHA-256":
		return digest{label, crypto.SHA256}, true
	case "SHA-512":
		return digest{label, crypto.SHA512}, true
	}
	return digest{}, false
}

// header returns the value of Digest. An empty body has a digest, too.
func (d digest) header(body []byte) string {
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
