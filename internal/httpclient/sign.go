package httpclient

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Pseudo header and header that are signed whenever a variant lists them.
const (
	requestTarget = "(request-target)"
	dateHeader    = "date"
)

// Variant is how one bank wants its requests signed (docs/reference/banks.md 9.2). The zero
// value is the Berlin Group's own way.
type Variant struct {
	// Headers in the order they are signed. digest must be among them. digest,
	// date and (request-target) are made when listed; any other header is signed
	// exactly when it is sent. Default: digest x-request-id psu-id
	// psu-corporate-id tpp-redirect-uri.
	Headers []string `json:"headers,omitempty"`
	// Digest is SHA-256 (default) or SHA-512, spelt in the bank's case.
	Digest string `json:"digest,omitempty"`
	// Algorithm is rsa-sha256 (default) or rsa-sha512.
	Algorithm string `json:"algorithm,omitempty"`
	// KeyID is sent instead of SN=<serial>,CA=<issuer>: some banks want our
	// client id.
	KeyID string `json:"keyId,omitempty"`
}

// Check tells whether a signer can follow the variant; its errors wrap
// ErrVariant and name the member.
func (v Variant) Check() error {
	_, _, _, err := v.read()
	return err
}

func (v Variant) read() (headers []string, d digester, signed crypto.Hash, err error) {
	headers = slices.Clone(v.Headers)
	if len(headers) == 0 {
		headers = []string{"digest", "x-request-id", "psu-id", "psu-corporate-id", "tpp-redirect-uri"}
	}
	for i, h := range headers {
		headers[i] = strings.ToLower(h)
		if h != requestTarget && !isToken(h) {
			return nil, d, 0, fmt.Errorf("%w: headers: entry %d is no header name", ErrVariant, i)
		}
	}
	if !slices.Contains(headers, "digest") {
		return nil, d, 0, fmt.Errorf("%w: headers: digest is missing", ErrVariant)
	}
	label := v.Digest
	if label == "" {
		label = "SHA-256"
	}
	if d, err = newDigester(label); err != nil {
		return nil, d, 0, fmt.Errorf("%w: digest: must be SHA-256 or SHA-512", ErrVariant)
	}
	switch v.Algorithm {
	case "", "rsa-sha256":
		signed = crypto.SHA256
	case "rsa-sha512":
		signed = crypto.SHA512
	default:
		return nil, d, 0, fmt.Errorf("%w: algorithm: must be rsa-sha256 or rsa-sha512", ErrVariant)
	}
	return headers, d, signed, nil
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// Signer puts Digest, Signature and TPP-Signature-Certificate on requests, in
// the draft-cavage style of docs/reference/banks.md 9.2. It is safe for concurrent use.
type Signer struct {
	key         *rsa.PrivateKey
	headers     []string
	digest      digester
	hash        crypto.Hash
	prefix      string // keyId and algorithm of the header Signature
	certificate string
}

// NewSigner makes a signer of a seal certificate (QSealC) with its RSA key.
func NewSigner(seal *tls.Certificate, v Variant) (*Signer, error) {
	headers, digest, hash, err := v.read()
	if err != nil {
		return nil, err
	}
	key, ok := seal.PrivateKey.(*rsa.PrivateKey)
	if !ok || len(seal.Certificate) == 0 {
		return nil, fmt.Errorf("%w: the seal needs an RSA key", ErrVariant)
	}
	leaf := seal.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(seal.Certificate[0]); err != nil {
			return nil, fmt.Errorf("httpclient: seal certificate: %w", err)
		}
	}
	key.Precompute() // the remainders that make each signature three times cheaper
	algorithm := "rsa-sha256"
	if hash == crypto.SHA512 {
		algorithm = "rsa-sha512"
	}
	keyID := v.KeyID
	if keyID == "" {
		keyID = fmt.Sprintf("SN=%X,CA=%s", leaf.SerialNumber, leaf.Issuer)
	}
	return &Signer{
		key: key, headers: headers, digest: digest, hash: hash,
		prefix:      `keyId="` + quotable(keyID) + `",algorithm="` + algorithm + `",headers="`,
		certificate: base64.StdEncoding.EncodeToString(leaf.Raw),
	}, nil
}

// signing bounds how many signatures are computed at once in this process. Each
// keeps a processor for a millisecond; more of them than processors would make
// everything short wait in line behind them, transactions that hold a connection
// to the database among it.
var signing = make(chan struct{}, runtime.GOMAXPROCS(0))

func (s *Signer) seal(text []byte) ([]byte, error) {
	signing <- struct{}{}
	defer func() { <-signing }()
	// The blinding that rand once served is gone; PKCS #1 v1.5 is deterministic.
	return rsa.SignPKCS1v15(rand.Reader, s.key, s.hash, sum(s.hash, text))
}

// quotable percent-encodes what cannot stand between quotes in a header.
func quotable(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Sign adds the signature's headers to h, and Date where the variant lists it.
// Whatever of them h held before is replaced. target is path and query as they
// are sent.
func (s *Signer) Sign(h http.Header, method, target string, body []byte, now time.Time) error {
	h.Set("Digest", s.digest.header(body))
	var text, names strings.Builder
	for _, name := range s.headers {
		var value string
		switch name {
		case requestTarget:
			value = strings.ToLower(method) + " " + target
		case dateHeader:
			value = now.UTC().Format(http.TimeFormat)
			h.Set("Date", value)
		default:
			values := h.Values(name)
			if len(values) == 0 {
				continue
			}
			value = strings.TrimSpace(strings.Join(values, ", "))
		}
		if text.Len() > 0 {
			text.WriteByte('\n')
			names.WriteByte(' ')
		}
		names.WriteString(name)
		text.WriteString(name + ": " + value)
	}
	signature, err := s.seal([]byte(text.String()))
	if err != nil {
		return fmt.Errorf("httpclient: sign: %w", err)
	}
	h.Set("Signature", s.prefix+names.String()+`",signature="`+base64.StdEncoding.EncodeToString(signature)+`"`)
	h.Set("TPP-Signature-Certificate", s.certificate)
	return nil
}
