package tpp

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"samla/internal/eidas"
)

// certificateCache caches the checks of TPP certificates by their raw bytes, because
// parsing and chain building take far longer than a request. The validity period is
// not cached: it is checked for every request.
type certificateCache struct {
	roots   *x509.CertPool
	mu      sync.RWMutex
	entries map[string]*checkedCertificate
}

// checkedCertificate is a certificate with the results of its checks.
type checkedCertificate struct {
	cert         *x509.Certificate
	organization string
	kind         eidas.QcType
	ai           bool // it has the role PSP_AI
	trusted      bool // its chain ends at a root
}

// maxCertificates limits the memory that unknown clients can use.
const maxCertificates = 1024

func newCertificateCache(roots *x509.CertPool) *certificateCache {
	return &certificateCache{roots: roots, entries: map[string]*checkedCertificate{}}
}

// Identify returns the organization of the TPP on a TLS connection, or an error
// (docs/reference/banks.md 8, first row).
func (c *Checker) Identify(state *tls.ConnectionState) (string, *Error) {
	now := c.clock.Now()
	if state == nil || len(state.PeerCertificates) == 0 {
		return "", unauthorized("CERTIFICATE_MISSING", "a client certificate (QWAC) is required")
	}
	t := c.certificates.check(state.PeerCertificates[0], state.PeerCertificates[1:], now)
	if code := t.errorCode(eidas.Web, now); code != "" {
		return "", unauthorized(code, "the client certificate is not valid here")
	}
	if !t.ai {
		return "", unauthorized("ROLE_INVALID", "the client certificate lacks the role PSP_AI")
	}
	return t.organization, nil
}

// errorCode returns the standard's code of what is wrong with the certificate for use
// as this kind, or "".
func (t *checkedCertificate) errorCode(kind eidas.QcType, now time.Time) string {
	switch {
	case now.After(t.cert.NotAfter):
		return "CERTIFICATE_EXPIRED"
	case now.Before(t.cert.NotBefore), !t.trusted, t.kind != kind, t.organization == "":
		return "CERTIFICATE_INVALID"
	}
	return ""
}

func (g *certificateCache) check(cert *x509.Certificate, chain []*x509.Certificate, now time.Time) *checkedCertificate {
	g.mu.RLock()
	t, ok := g.entries[string(cert.Raw)]
	g.mu.RUnlock()
	if ok {
		return t
	}
	t = &checkedCertificate{cert: cert, organization: eidas.OrganizationIdentifier(cert)}
	if s, err := eidas.Parse(cert); err == nil {
		t.kind, t.ai = s.Type, s.Has(eidas.AI)
	}
	opts := x509.VerifyOptions{Roots: g.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain {
		opts.Intermediates.AddCert(c)
	}
	// The chain is verified at a time when the certificate is valid, so that an expired
	// certificate is not reported as one of an unknown CA.
	opts.CurrentTime = now
	if now.After(cert.NotAfter) {
		opts.CurrentTime = cert.NotAfter
	} else if now.Before(cert.NotBefore) {
		opts.CurrentTime = cert.NotBefore
	}
	_, err := cert.Verify(opts)
	t.trusted = err == nil
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.entries) >= maxCertificates {
		clear(g.entries)
	}
	g.entries[string(cert.Raw)] = t
	return t
}
