// Package pki generates the sandbox's certificates: its own CA, the server's
// certificate and the TPP's QWAC and QSealC. With a directory it stores them and
// loads them at the next start.
//
// It can also issue invalid certificates, to test that a bank rejects them.
// Source: ETSI TS 119 495; docs/reference/banks.md 9.1.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"samla/internal/eidas"
)

// TPPOrganization is the organizationIdentifier of the sandbox's own TPP.
const TPPOrganization = "PSDSE-FINA-44059"

const (
	backdate = 365 * 24 * time.Hour // certificates are valid for clocks that are up to a year behind
	lifetime = 3 * 365 * 24 * time.Hour
)

// CA issues certificates. It is safe for concurrent use.
type CA struct {
	Cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	now    func() time.Time
	random io.Reader
}

// NewCA generates a certificate authority. Certificates are issued at the time that
// now returns. Serial numbers and keys come from random; nil means crypto/rand.
func NewCA(name string, now func() time.Time, random io.Reader) (*CA, error) {
	if random == nil {
		random = rand.Reader
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("pki: CA key: %w", err)
	}
	ca := &CA{key: key, now: now, random: random}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name, Organization: []string{"Samla sandbox"}, Country: []string{"SE"}},
		NotBefore:             now().Add(-backdate),
		NotAfter:              now().Add(10 * lifetime / 3),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if ca.Cert, err = ca.sign(t, t, key.Public()); err != nil {
		return nil, err
	}
	return ca, nil
}

func (ca *CA) sign(template, parent *x509.Certificate, pub crypto.PublicKey) (*x509.Certificate, error) {
	serial := make([]byte, 12)
	if _, err := io.ReadFull(ca.random, serial); err != nil {
		return nil, fmt.Errorf("pki: serial number: %w", err)
	}
	serial[0] |= 0x40 // no leading zero byte, never negative
	serial[0] &= 0x7f
	template.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(ca.random, template, parent, pub, ca.key)
	if err != nil {
		return nil, fmt.Errorf("pki: sign: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Pool returns a pool that contains only this CA.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// Server issues a certificate for 127.0.0.1, ::1 and localhost.
func (ca *CA) Server() (tls.Certificate, error) {
	return ca.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, false)
}

// Application issues a certificate for an application at a gateway, with an RSA key. A
// gateway knows the application by the key; the certificate says nothing more.
func (ca *CA) Application() (tls.Certificate, error) {
	return ca.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "Samla sandbox application"}}, true)
}

// Spec describes a TPP certificate. The zero value of each field means a valid
// certificate, so that a test sets only what must be wrong.
type Spec struct {
	Type         eidas.QcType // Unknown: no QcType statement
	Roles        []eidas.Role
	Organization string    // empty: TPPOrganization
	NotBefore    time.Time // zero: a year ago
	NotAfter     time.Time // zero: three years ahead
	NoStatements bool      // no QcStatements extension
	ECDSA        bool      // a seal with an ECDSA key
}

// QWAC returns the spec of an AISP's valid website certificate.
func QWAC() Spec { return Spec{Type: eidas.Web, Roles: []eidas.Role{eidas.AI}} }

// QSEAL returns the spec of an AISP's valid seal certificate.
func QSEAL() Spec { return Spec{Type: eidas.Seal, Roles: []eidas.Role{eidas.AI}} }

// P256 returns the spec of an AISP's valid seal certificate with an ECDSA key.
func P256() Spec { return Spec{Type: eidas.Seal, Roles: []eidas.Role{eidas.AI}, ECDSA: true} }

// Issue generates a TPP certificate and its key: RSA-2048 for a seal, unless the spec
// wants ECDSA, and ECDSA P-256 otherwise.
func (ca *CA) Issue(s Spec) (tls.Certificate, error) {
	if s.Organization == "" {
		s.Organization = TPPOrganization
	}
	t := &x509.Certificate{
		Subject: pkix.Name{
			CommonName: "Samla sandbox TPP", Organization: []string{"Samla sandbox TPP AB"}, Country: []string{"SE"},
			ExtraNames: []pkix.AttributeTypeAndValue{{Type: eidas.OrganizationOID, Value: s.Organization}},
		},
		NotBefore: s.NotBefore, NotAfter: s.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if !s.NoStatements {
		der, err := eidas.Statements{Type: s.Type, Roles: s.Roles, NCAName: "Finansinspektionen", NCAID: "SE-FINA"}.Marshal()
		if err != nil {
			return tls.Certificate{}, fmt.Errorf("pki: statements: %w", err)
		}
		t.ExtraExtensions = []pkix.Extension{{Id: eidas.ExtensionOID, Value: der}}
	}
	return ca.issue(t, s.Type == eidas.Seal && !s.ECDSA)
}

func (ca *CA) issue(t *x509.Certificate, useRSA bool) (tls.Certificate, error) {
	if t.NotBefore.IsZero() {
		t.NotBefore = ca.now().Add(-backdate)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = ca.now().Add(lifetime)
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.BasicConstraintsValid = true
	key, err := ca.newKey(useRSA)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pki: key: %w", err)
	}
	cert, err := ca.sign(t, ca.Cert, key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

func (ca *CA) newKey(useRSA bool) (crypto.Signer, error) {
	if useRSA {
		return rsa.GenerateKey(ca.random, 2048)
	}
	return ecdsa.GenerateKey(elliptic.P256(), ca.random)
}
