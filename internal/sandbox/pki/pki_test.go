package pki_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/eidas"
	"samla/internal/sandbox/pki"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

func TestOpen_GeneratesValidCertificates(t *testing.T) {
	s, err := pki.Open("", now, nil)
	if err != nil {
		t.Fatal(err)
	}
	opts := x509.VerifyOptions{Roots: s.CA.Pool(), CurrentTime: noon}
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		opts.DNSName = host
		if _, err := s.Server.Leaf.Verify(opts); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	opts.DNSName = ""
	opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for _, c := range []struct {
		cert *x509.Certificate
		kind eidas.QcType
	}{{s.QWAC.Leaf, eidas.Web}, {s.QSEAL.Leaf, eidas.Seal}} {
		if _, err := c.cert.Verify(opts); err != nil {
			t.Error(err)
		}
		q, err := eidas.Parse(c.cert)
		if err != nil || q.Type != c.kind || !q.Has(eidas.AI) || q.NCAID != "SE-FINA" {
			t.Errorf("statements %+v, %v", q, err)
		}
		if got := eidas.OrganizationIdentifier(c.cert); got != pki.TPPOrganization {
			t.Errorf("organisation %q", got)
		}
	}
	if key, ok := s.QSEAL.PrivateKey.(*rsa.PrivateKey); !ok || key.N.BitLen() != 2048 {
		t.Errorf("seal key is %T", s.QSEAL.PrivateKey)
	}
}

func TestOpen_LoadsStoredCertificates(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first, err := pki.Open(dir, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pki.Open(dir, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !first.CA.Cert.Equal(second.CA.Cert) || !first.QWAC.Leaf.Equal(second.QWAC.Leaf) ||
		!first.QSEAL.Leaf.Equal(second.QSEAL.Leaf) || !first.Server.Leaf.Equal(second.Server.Leaf) {
		t.Error("a certificate changed")
	}
	info, err := os.Stat(filepath.Join(dir, pki.QSEALKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v", info, err)
	}
}

func TestOpen_ReplacesInvalidAndExpiringCertificates(t *testing.T) {
	dir := t.TempDir()
	first, err := pki.Open(dir, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pki.QWACFile), []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := pki.Open(dir, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.QWAC.Leaf.Equal(second.QWAC.Leaf) || !first.CA.Cert.Equal(second.CA.Cert) {
		t.Error("want a new QWAC of the same CA")
	}
	later, err := pki.Open(dir, func() time.Time { return second.QWAC.Leaf.NotAfter.Add(-24 * time.Hour) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if later.QWAC.Leaf.Equal(second.QWAC.Leaf) || !later.CA.Cert.Equal(second.CA.Cert) {
		t.Error("want a new QWAC of the same CA a day before the old one expires")
	}
}

func TestIssue_FollowsSpecOfInvalidCertificates(t *testing.T) {
	ca, err := pki.NewCA("test", now, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec := pki.QWAC()
	spec.NotAfter = noon.Add(-time.Hour)
	if c, err := ca.Issue(spec); err != nil || !c.Leaf.NotAfter.Before(noon) {
		t.Errorf("expired: %v", err)
	}
	c, err := ca.Issue(pki.Spec{NoStatements: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := eidas.Parse(c.Leaf); err == nil {
		t.Error("the certificate has QcStatements")
	}
	if _, err := ca.Issue(pki.Spec{Roles: []eidas.Role{"PSP_XX"}}); err == nil {
		t.Error("an unknown role was issued")
	}
}

func TestOpenKey_KeepsKeys(t *testing.T) {
	dir := t.TempDir()
	open := func(dir, name string) *rsa.PrivateKey {
		t.Helper()
		k, err := pki.OpenKey(dir, name, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := open(dir, "bank")
	if !first.Equal(open(dir, "bank")) {
		t.Error("the key is another one at the next start")
	}
	if first.Equal(open(dir, "other")) || first.Equal(open("", "bank")) {
		t.Error("another name or no directory has the same key")
	}
	path := filepath.Join(dir, "bank-key.pem")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if first.Equal(open(dir, "bank")) {
		t.Error("a broken file has a key")
	}
}
