package tpp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/eidas"
)

// maxSkew is the largest accepted difference between the header Date and the bank's
// clock.
const maxSkew = 5 * time.Minute

var errSignature = unauthorized("SIGNATURE_INVALID", "Digest or Signature is invalid")

// CheckSignature checks a request with this body of the organization of the client
// certificate, by docs/reference/banks.md 9.2: Digest must match the body, and Signature must
// cover exactly the required headers and be made with a seal certificate of the
// organization.
func (c *Checker) CheckSignature(r *http.Request, body []byte, organization string) *Error {
	h := r.Header
	if c.rules.Unsigned || c.rules.UnsignedReads && r.Method == http.MethodGet && h.Get("Signature") == "" {
		return nil
	}
	if h.Get("Signature") == "" || h.Get("Digest") == "" || h.Get("TPP-Signature-Certificate") == "" {
		return unauthorized("SIGNATURE_MISSING", "Digest, Signature and TPP-Signature-Certificate are required")
	}
	if !digestMatches(h.Get("Digest"), body, c.rules.SHA512) {
		return errSignature
	}
	s, ok := parseSignature(h.Get("Signature"))
	if !ok {
		return errSignature
	}
	seal, f := c.seal(h.Get("TPP-Signature-Certificate"), organization)
	if f != nil {
		return f
	}
	if !keyIDMatches(s.keyID, seal.cert) || !slices.Equal(sorted(s.headers), sorted(c.rules.signedHeaders(h))) {
		return errSignature
	}
	if c.rules.DateSigned {
		date, err := http.ParseTime(h.Get("Date"))
		if skew := c.clock.Now().Sub(date); err != nil || skew.Abs() > maxSkew {
			return &Error{http.StatusBadRequest, "TIMESTAMP_INVALID", "Date is missing or too far from the bank's clock"}
		}
	}
	if !s.verify(seal.cert.PublicKey, []byte(signingString(h, s.headers)), c.rules) {
		return errSignature
	}
	return nil
}

// signedHeaders returns the headers that the signature must cover, no more and no
// fewer.
func (r Rules) signedHeaders(h http.Header) []string {
	names := []string{"digest", "x-request-id"}
	for _, optional := range []string{"psu-id", "psu-corporate-id", "tpp-redirect-uri"} {
		if h.Get(optional) != "" {
			names = append(names, optional)
		}
	}
	if r.DateSigned {
		names = append(names, "date")
	}
	return names
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// seal parses and checks TPP-Signature-Certificate, base64 of DER.
func (c *Checker) seal(header, organization string) (*checkedCertificate, *Error) {
	invalid := unauthorized("CERTIFICATE_INVALID", "TPP-Signature-Certificate is not valid here")
	der, err := base64.StdEncoding.DecodeString(header)
	if err != nil {
		return nil, invalid
	}
	now := c.clock.Now()
	c.certificates.mu.RLock()
	t, ok := c.certificates.entries[string(der)]
	c.certificates.mu.RUnlock()
	if !ok {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, invalid
		}
		t = c.certificates.check(cert, nil, now)
	}
	if code := t.errorCode(eidas.Seal, now); code != "" {
		return nil, unauthorized(code, "TPP-Signature-Certificate is not valid here")
	}
	if t.organization != organization {
		return nil, invalid
	}
	return t, nil
}

func digestMatches(header string, body []byte, allow512 bool) bool {
	label, value, ok := strings.Cut(header, "=")
	if !ok {
		return false
	}
	var sum []byte
	switch strings.ToUpper(label) { // RFC 3230: labels are case-insensitive
	case "SHA-256":
		s := sha256.Sum256(body)
		sum = s[:]
	case "SHA-512":
		if !allow512 {
			return false
		}
		s := sha512.Sum512(body)
		sum = s[:]
	default:
		return false
	}
	got, err := base64.StdEncoding.DecodeString(value)
	return err == nil && subtle.ConstantTimeCompare(got, sum) == 1
}

// signature is the parsed header Signature.
type signature struct {
	keyID, algorithm string
	headers          []string
	value            []byte
}

// parseSignature parses name="value" pairs separated by commas. It accepts only the
// four members keyId, algorithm, headers and signature, each exactly once.
func parseSignature(header string) (signature, bool) {
	var s signature
	seen := map[string]string{}
	for rest := strings.TrimSpace(header); rest != ""; {
		name, after, ok := strings.Cut(rest, `="`)
		value, tail, ended := strings.Cut(after, `"`)
		if _, repeated := seen[name]; !ok || !ended || repeated {
			return s, false
		}
		seen[name] = value
		rest = strings.TrimSpace(tail)
		if rest == "" {
			break
		}
		if rest[0] != ',' || len(rest) == 1 {
			return s, false
		}
		rest = strings.TrimSpace(rest[1:])
	}
	if len(seen) != 4 {
		return s, false
	}
	s.keyID, s.algorithm = seen["keyId"], seen["algorithm"]
	s.headers = strings.Split(seen["headers"], " ")
	var err error
	s.value, err = base64.StdEncoding.DecodeString(seen["signature"])
	return s, err == nil && s.keyID != "" && s.algorithm != "" && seen["headers"] != "" && len(s.value) > 0
}

// signingString returns the text to sign: a line "name: value" for each name, in this
// order.
func signingString(h http.Header, names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(name)
		b.WriteString(": ")
		b.WriteString(strings.Join(h.Values(name), ", "))
	}
	return b.String()
}

// verify verifies the signature of a text, with the algorithms that the bank accepts.
func (s signature) verify(public crypto.PublicKey, text []byte, accepts Rules) bool {
	sum256, sum512 := sha256.Sum256(text), sha512.Sum512(text)
	switch key := public.(type) {
	case *rsa.PublicKey:
		switch {
		case s.algorithm == "rsa-sha256":
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum256[:], s.value) == nil
		case s.algorithm == "rsa-sha512" && accepts.SHA512:
			return rsa.VerifyPKCS1v15(key, crypto.SHA512, sum512[:], s.value) == nil
		}
	case *ecdsa.PublicKey:
		return s.algorithm == "ecdsa-sha256" && accepts.P256 && ecdsa.VerifyASN1(key, sum256[:], s.value)
	}
	return false
}

// keyIDMatches reports whether a keyId "SN=<serial hex>,CA=<issuer DN>" identifies the
// certificate. The parts of the DN may be in any order.
func keyIDMatches(keyID string, cert *x509.Certificate) bool {
	sn, dn, ok := strings.Cut(keyID, ",CA=")
	sn, found := strings.CutPrefix(sn, "SN=")
	if !ok || !found {
		return false
	}
	serial := strings.TrimLeft(strings.ToLower(sn), "0")
	return serial == cert.SerialNumber.Text(16) && slices.Equal(parts(dn), parts(cert.Issuer.String()))
}

func parts(dn string) []string {
	items := strings.Split(dn, ",")
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return sorted(items)
}
