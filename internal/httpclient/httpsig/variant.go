package httpsig

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalidVariant is wrapped by the errors about a Variant, or about a
// certificate that cannot sign. Their texts name the member.
var ErrInvalidVariant = errors.New("httpsig: invalid signature variant")

// Variant is how one bank wants its requests signed (docs/reference/banks.md
// 9.2). The zero value is the Berlin Group's own form.
type Variant struct {
	// Headers are the names of the headers that are signed, in this order; digest
	// must be among them. digest, date and (request-target) are added to the
	// request when they are listed. Any other header is signed when the request
	// has it. Default: digest x-request-id psu-id psu-corporate-id
	// tpp-redirect-uri.
	Headers []string `json:"headers,omitempty"`
	// Digest is SHA-256 (default) or SHA-512, spelt as the bank wants it.
	Digest string `json:"digest,omitempty"`
	// Algorithm is rsa-sha256 (default) or rsa-sha512.
	Algorithm string `json:"algorithm,omitempty"`
	// KeyID takes the place of SN=<serial>,CA=<issuer>: some banks want our client
	// id.
	KeyID string `json:"keyId,omitempty"`
}

// The pseudo header and the header that are added when a variant lists them.
const (
	requestTarget = "(request-target)"
	dateHeader    = "date"
)

// Validate returns an error when no signer can follow the variant.
func (v Variant) Validate() error {
	_, err := v.parse()
	return err
}

// form is a Variant that is valid, with its defaults.
type form struct {
	headers   []string // in lower case
	digest    digest
	algorithm string
	hash      crypto.Hash // of algorithm
}

func (v Variant) parse() (f form, err error) {
	f.headers = slices.Clone(v.Headers)
	if len(f.headers) == 0 {
		f.headers = []string{"digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri"}
	}
	for i, h := range f.headers {
		f.headers[i] = strings.ToLower(h)
		if h != requestTarget && !isToken(h) {
			return form{}, fmt.Errorf("%w: headers: entry %d is not a header name", ErrInvalidVariant, i)
		}
	}
	if !slices.Contains(f.headers, "digest") {
		return form{}, fmt.Errorf("%w: headers: digest is missing", ErrInvalidVariant)
	}
	label := v.Digest
	if label == "" {
		label = "SHA-256"
	}
	var ok bool
	if f.digest, ok = parseDigest(label); !ok {
		return form{}, fmt.Errorf("%w: digest: must be SHA-256 or SHA-512", ErrInvalidVariant)
	}
	switch v.Algorithm {
	case "", "rsa-sha256":
		f.algorithm, f.hash = "rsa-sha256", crypto.SHA256
	case "rsa-sha512":
		f.algorithm, f.hash = "rsa-sha512", crypto.SHA512
	default:
		return form{}, fmt.Errorf("%w: algorithm: must be rsa-sha256 or rsa-sha512", ErrInvalidVariant)
	}
	return f, nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2, as the name of
// a header must be.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
