// Package tpp checks who calls a simulated bank: the client certificate (QWAC), the seal
// certificate (QSealC) and the signature of a request.
//
// Sources: docs/reference/banks.md 8, 9; draft-cavage-http-signatures-10 for the signature.
package tpp

import (
	"crypto/x509"
	"net/http"

	"samla/internal/clock"
)

// Rules are what banks differ in.
type Rules struct {
	DateSigned    bool // the signature must cover the header Date
	SHA512        bool // Digest SHA-512 and rsa-sha512 are accepted too
	P256          bool // ecdsa-sha256 is accepted too
	UnsignedReads bool // GET needs no signature
	Unsigned      bool // no request needs a signature
}

// Error is why a request is refused: an HTTP status and a code of the standard. Text
// contains nothing of the request.
type Error struct {
	Status     int
	Code, Text string
}

func unauthorized(code, text string) *Error { return &Error{http.StatusUnauthorized, code, text} }

// Checker checks the requests to one bank. It is safe for concurrent use.
type Checker struct {
	rules        Rules
	clock        clock.Clock
	certificates *certificateCache
}

// New returns a checker. roots are the CAs of TPP certificates.
func New(rules Rules, roots *x509.CertPool, c clock.Clock) *Checker {
	return &Checker{rules, c, newCertificateCache(roots)}
}
