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
	// Algorithm is rsa-sha256, rsa-sha512 or ecdsa-sha256. Default: rsa-sha256 or
	// ecdsa-sha256, by the key of the certificate.
	Algorithm string `json:"algorithm,omitempty"`
	// Methods are the HTTP methods whose requests are signed; default: all. Many banks
	// want a signature only where a request changes something.
	Methods []string `json:"methods,omitempty"`
	// KeyID takes the place of SN=<serial>,CA=<issuer>: some banks want our client
	// id.
	KeyID string `json:"keyId,omitempty"`
}

// The pseudo header and the header that are added when a variant lists them.
const (
	requestTarget = "(request-target)"
	dateHeader    = "date"
	digestHeader  = "digest"
)

// Validate returns an error when no signer can follow the variant.
func (v Variant) Validate() error {
	_, err := v.parse()
	return err
}

// form is a Variant or a KeyVariant that is valid, with its defaults.
type form struct {
	headers     []string // in lower case
	bodyHeaders []string // the same, signed behind them if there is a body
	date        string   // the header that gets the time of the signature, in lower case
	digest      digest
	algorithm   algorithm // "" = by the key
	methods     []string  // empty = all
}

// algorithm is the name of a signature algorithm in the header Signature.
type algorithm string

const (
	rsaSHA256   algorithm = "rsa-sha256"
	rsaSHA512   algorithm = "rsa-sha512"
	ecdsaSHA256 algorithm = "ecdsa-sha256"
)

func (a algorithm) hash() crypto.Hash {
	if a == rsaSHA512 {
		return crypto.SHA512
	}
	return crypto.SHA256
}

// signs reports whether requests of a method are signed.
func (f form) signs(method string) bool {
	return len(f.methods) == 0 || slices.Contains(f.methods, method)
}

func (v Variant) parse() (f form, err error) {
	f.headers, f.date = slices.Clone(v.Headers), dateHeader
	if len(f.headers) == 0 {
		f.headers = []string{"digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri"}
	}
	for i, h := range f.headers {
		f.headers[i] = strings.ToLower(h)
		if h != requestTarget && !isToken(h) {
			return form{}, fmt.Errorf("%w: headers: entry %d is not a header name", ErrInvalidVariant, i)
		}
	}
	if !slices.Contains(f.headers, digestHeader) {
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
	f.algorithm = algorithm(v.Algorithm)
	if !slices.Contains([]algorithm{"", rsaSHA256, rsaSHA512, ecdsaSHA256}, f.algorithm) {
		return form{}, fmt.Errorf("%w: algorithm: must be rsa-sha256, rsa-sha512 or ecdsa-sha256", ErrInvalidVariant)
	}
	f.methods = v.Methods
	for i, m := range v.Methods {
		if !isToken(m) || strings.ToUpper(m) != m {
			return form{}, fmt.Errorf("%w: methods: entry %d is not a method such as POST", ErrInvalidVariant, i)
		}
	}
	return f, nil
}

// Signs reports whether requests of a method are signed. The variant must be valid.
func (v Variant) Signs(method string) bool { return form{methods: v.Methods}.signs(method) }

// isToken reports whether s is a token of RFC 9110 section 5.6.2, as the name of
// a header must be.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
