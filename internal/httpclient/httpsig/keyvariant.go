package httpsig

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"strings"
)

// KeyVariant is how a bank wants requests signed with a key that it knows by a name: no
// certificate is sent. The algorithm is rsa-sha256 (docs/reference/families.md 3.3).
type KeyVariant struct {
	KeyID       string
	Headers     []string // signed with each request, in this order
	BodyHeaders []string // signed behind them if the request has a body; with digest, Digest is sent
	DateHeader  string   // one of Headers, which gets the time of the signature
	Digest      string   // SHA-256 or SHA-512, spelt as the bank wants it
}

// leastBits is the length of the key that Nordea demands (docs/reference/families.md 3.3).
const leastBits = 2048

// NewKeySigner returns a signer that uses a private RSA key of at least 2048 bits. Errors
// wrap ErrInvalidVariant for a variant or a key that cannot be used.
func NewKeySigner(private crypto.PrivateKey, v KeyVariant, limit *Limit) (*Signer, error) {
	pair, isRSA := private.(*rsa.PrivateKey)
	if !isRSA || pair.N.BitLen() < leastBits {
		return nil, fmt.Errorf("%w: must be an RSA key of at least %d bits", ErrInvalidVariant, leastBits)
	}
	d, ok := parseDigest(v.Digest)
	if !ok || v.KeyID == "" || len(v.Headers) == 0 {
		return nil, fmt.Errorf("%w: the name of the key, the headers or the digest", ErrInvalidVariant)
	}
	f := form{date: strings.ToLower(v.DateHeader), digest: d, algorithm: rsaSHA256}
	for _, list := range []struct {
		from []string
		to   *[]string
	}{{v.Headers, &f.headers}, {v.BodyHeaders, &f.bodyHeaders}} {
		for _, name := range list.from {
			*list.to = append(*list.to, strings.ToLower(name))
		}
	}
	m := &meter{}
	k, err := newKey(pair, rsaSHA256, limit, m)
	if err != nil {
		return nil, err
	}
	took, err := limit.cost(k)
	if err != nil {
		return nil, err
	}
	return &Signer{form: f, key: k, meter: m, cost: took, prefix: prefixOf(v.KeyID, rsaSHA256)}, nil
}
