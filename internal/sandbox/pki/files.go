package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The PEM files of a directory. Keys are written with mode 0600.
const (
	CAFile        = "ca.pem"
	caKeyFile     = "ca-key.pem"
	QWACFile      = "qwac.pem"
	QWACKeyFile   = "qwac-key.pem"
	QSEALFile     = "qseal.pem"
	QSEALKeyFile  = "qseal-key.pem"
	serverFile    = "server.pem"
	serverKeyFile = "server-key.pem"
)

// Set is everything the sandbox needs.
type Set struct {
	CA     *CA
	Server tls.Certificate
	QWAC   tls.Certificate
	QSEAL  tls.Certificate
}

// Open returns the set kept in dir. What is missing, unreadable as a pair, of
// another CA or within 30 days of its end is made anew and written. An empty
// dir makes a set that lives in memory only.
func Open(dir string, now func() time.Time, random io.Reader) (*Set, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("pki: %w", err)
		}
	}
	ca, err := openCA(dir, now, random)
	if err != nil {
		return nil, err
	}
	s := &Set{CA: ca}
	for _, item := range []struct {
		into      *tls.Certificate
		cert, key string
		issue     func() (tls.Certificate, error)
	}{
		{&s.Server, serverFile, serverKeyFile, ca.Server},
		{&s.QWAC, QWACFile, QWACKeyFile, func() (tls.Certificate, error) { return ca.Issue(QWAC()) }},
		{&s.QSEAL, QSEALFile, QSEALKeyFile, func() (tls.Certificate, error) { return ca.Issue(QSEAL()) }},
	} {
		if found, ok := load(dir, item.cert, item.key); ok && found.Leaf.CheckSignatureFrom(ca.Cert) == nil && fresh(found.Leaf, now()) {
			*item.into = found
			continue
		}
		if *item.into, err = item.issue(); err != nil {
			return nil, err
		}
		if err := save(dir, item.cert, item.key, *item.into); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func openCA(dir string, now func() time.Time, random io.Reader) (*CA, error) {
	ca, err := NewCA("Samla sandbox CA", now, random)
	if err != nil {
		return nil, err
	}
	if found, ok := load(dir, CAFile, caKeyFile); ok && fresh(found.Leaf, now()) {
		if key, ok := found.PrivateKey.(*ecdsa.PrivateKey); ok {
			ca.Cert, ca.key = found.Leaf, key
			return ca, nil
		}
	}
	return ca, save(dir, CAFile, caKeyFile, tls.Certificate{Certificate: [][]byte{ca.Cert.Raw}, PrivateKey: ca.key})
}

func fresh(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && now.Add(30*24*time.Hour).Before(cert.NotAfter)
}

func load(dir, certFile, keyFile string) (tls.Certificate, bool) {
	if dir == "" {
		return tls.Certificate{}, false
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certFile), filepath.Join(dir, keyFile))
	return pair, err == nil && pair.Leaf != nil
}

func save(dir, certFile, keyFile string, c tls.Certificate) error {
	if dir == "" {
		return nil
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return fmt.Errorf("pki: marshal key: %w", err)
	}
	if err := write(filepath.Join(dir, keyFile), "PRIVATE KEY", key, 0o600); err != nil {
		return err
	}
	return write(filepath.Join(dir, certFile), "CERTIFICATE", c.Certificate[0], 0o644)
}

// write replaces the file in one step, so that a start that dies here leaves
// either the old file or the new one.
func write(path, kind string, der []byte, mode fs.FileMode) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	err = errors.Join(pem.Encode(temp, &pem.Block{Type: kind, Bytes: der}), temp.Chmod(mode), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("pki: write: %w", err)
	}
	return nil
}

// PEM returns a certificate in PEM form.
func PEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}
