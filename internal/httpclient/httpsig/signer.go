// Package httpsig signs HTTP requests in the form of draft-cavage-http-signatures: the
// way the Berlin Group and its banks want it, with the headers Digest, Signature and
// TPP-Signature-Certificate (docs/reference/banks.md 9.2), or with a key that a bank knows
// by a name (docs/reference/families.md 3.3). It owns how banks differ in that and how
// many signatures are computed at a time. It sends nothing: package httpclient does.
package httpsig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Signer signs requests with one certificate in one variant. It is safe for
// concurrent use.
type Signer struct {
	form
	key         key
	meter       *meter
	cost        time.Duration
	prefix      string // of the header Signature: keyId and algorithm
	certificate string // base64 of the DER form; empty = not sent
}

// NewSigner returns a signer that uses the key of a QSealC
// (docs/reference/banks.md 9.1): RSA, or ECDSA on the curve P-256. Errors wrap
// ErrInvalidVariant for a variant or a key that cannot be used, and for an algorithm
// that does not belong to the key.
func NewSigner(qsealc *tls.Certificate, v Variant, limit *Limit) (*Signer, error) {
	f, err := v.parse()
	if err != nil {
		return nil, err
	}
	if len(qsealc.Certificate) == 0 {
		return nil, fmt.Errorf("%w: the QSealC is missing", ErrInvalidVariant)
	}
	m := &meter{}
	k, err := newKey(qsealc.PrivateKey, f.algorithm, limit, m)
	if err != nil {
		return nil, err
	}
	took, err := limit.cost(k)
	if err != nil {
		return nil, err
	}
	f.algorithm = k.algorithm()
	leaf := qsealc.Leaf
	if leaf == nil {
		if leaf, err = x509.ParseCertificate(qsealc.Certificate[0]); err != nil {
			return nil, fmt.Errorf("httpsig: QSealC: %w", err)
		}
	}
	keyID := v.KeyID
	if keyID == "" {
		keyID = fmt.Sprintf("SN=%X,CA=%s", leaf.SerialNumber, leaf.Issuer)
	}
	return &Signer{
		form: f, key: k, meter: m, cost: took,
		prefix:      prefixOf(keyID, f.algorithm),
		certificate: base64.StdEncoding.EncodeToString(leaf.Raw),
	}, nil
}

func prefixOf(keyID string, a algorithm) string {
	return `keyId="` + escape(keyID) + `",algorithm="` + string(a) + `",headers="`
}

// Cost returns the processor time of a signature, measured on this machine.
func (s *Signer) Cost() time.Duration { return s.cost }

// escape percent-encodes the bytes that cannot stand in a quoted string of a
// header.
func escape(s string) string {
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

// Sign sets the headers of the signature in h, and the header of the date where the
// variant lists it. requestURI is the path and query as they are sent. Sign may wait for the
// limit of the signer; when ctx ends first, it returns ctx's error. It leaves a request
// whose method is not signed as it is.
func (s *Signer) Sign(ctx context.Context, h http.Header, method, requestURI string, body []byte, now time.Time) error {
	if !s.signs(method) {
		return nil
	}
	signed := s.headers
	if len(body) > 0 {
		signed = append(signed[:len(signed):len(signed)], s.bodyHeaders...)
	}
	if slices.Contains(signed, digestHeader) {
		h.Set("Digest", s.digest.header(body))
	}
	text, names := s.signingString(signed, h, method, requestURI, now)
	signature, err := s.sign(ctx, sum(s.algorithm.hash(), []byte(text)))
	if err != nil {
		return fmt.Errorf("httpsig: sign: %w", err)
	}
	h.Set("Signature", s.prefix+names+`",signature="`+base64.StdEncoding.EncodeToString(signature)+`"`)
	if s.certificate != "" {
		h.Set("TPP-Signature-Certificate", s.certificate)
	}
	return nil
}

// signingString returns the text that is signed and the names of the headers in
// it. It sets the header of the date where it is listed.
func (s *Signer) signingString(headers []string, h http.Header, method, requestURI string, now time.Time) (text, names string) {
	var lines, listed strings.Builder
	for _, name := range headers {
		var value string
		switch name {
		case requestTarget:
			value = strings.ToLower(method) + " " + requestURI
		case s.date:
			value = now.UTC().Format(http.TimeFormat)
			h.Set(name, value)
		default:
			values := h.Values(name)
			if len(values) == 0 {
				continue
			}
			value = strings.TrimSpace(strings.Join(values, ", "))
		}
		if lines.Len() > 0 {
			lines.WriteByte('\n')
			listed.WriteByte(' ')
		}
		listed.WriteString(name)
		lines.WriteString(name + ": " + value)
	}
	return lines.String(), listed.String()
}
