package aspsp

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"sync"
	"time"

	"samla/internal/eidas"
)

// registry knows the TPP certificates that this bank has met. Parsing and chain
// building cost far more than a request, so the verdict on a certificate is kept
// by its raw bytes; validity in time is looked at each time.
type registry struct {
	roots *x509.CertPool
	mu    sync.RWMutex
	met   map[string]*tpp
}

// tpp is the verdict on one certificate.
type tpp struct {
	cert         *x509.Certificate
	organization string
	kind         eidas.QcType
	ai           bool // has the role PSP_AI
	trusted      bool // chains to a root
}

// maxMet bounds the memory that strangers' certificates can take.
const maxMet = 1024

func newRegistry(roots *x509.CertPool) *registry {
	return &registry{roots: roots, met: map[string]*tpp{}}
}

func unauthorized(code, text string) *refusal { return refuse(http.StatusUnauthorized, code, text) }

// identify finds the TPP behind a TLS connection, or says why not (docs/reference/banks.md 8,
// first row).
func (g *registry) identify(state *tls.ConnectionState, now time.Time) (string, *refusal) {
	if state == nil || len(state.PeerCertificates) == 0 {
		return "", unauthorized("CERTIFICATE_MISSING", "a client certificate (QWAC) is required")
	}
	t := g.verdict(state.PeerCertificates[0], state.PeerCertificates[1:], now)
	if code := t.wrong(eidas.Web, now); code != "" {
		return "", unauthorized(code, "the client certificate is not acceptable")
	}
	if !t.ai {
		return "", unauthorized("ROLE_INVALID", "the client certificate lacks the role PSP_AI")
	}
	return t.organization, nil
}

// wrong returns the code for what is wrong with a certificate of this kind.
func (t *tpp) wrong(kind eidas.QcType, now time.Time) string {
	switch {
	case now.After(t.cert.NotAfter):
		return "CERTIFICATE_EXPIRED"
	case now.Before(t.cert.NotBefore), !t.trusted, t.kind != kind, t.organization == "":
		return "CERTIFICATE_INVALID"
	}
	return ""
}

func (g *registry) verdict(cert *x509.Certificate, chain []*x509.Certificate, now time.Time) *tpp {
	g.mu.RLock()
	t, ok := g.met[string(cert.Raw)]
	g.mu.RUnlock()
	if ok {
		return t
	}
	t = &tpp{cert: cert, organization: eidas.OrganizationIdentifier(cert)}
	if s, err := eidas.Parse(cert); err == nil {
		t.kind, t.ai = s.Type, s.Has(eidas.AI)
	}
	opts := x509.VerifyOptions{Roots: g.roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range chain {
		opts.Intermediates.AddCert(c)
	}
	// The chain is judged at a moment when the certificate is valid: an expired
	// one is told apart from a stranger's.
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
	if len(g.met) >= maxMet {
		clear(g.met)
	}
	g.met[string(cert.Raw)] = t
	return t
}
