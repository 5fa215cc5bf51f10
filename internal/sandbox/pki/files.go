package pki

import (
	"crypto/ecdsa"
	"crypto/rsa"
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

// The PEM files of a directory. Keys have mode 0600.
const (
	CAFile        = "ca.pem"
	caKeyFile     = "ca-key.pem"
	QWACFile      = "qwac.pem"
	QWACKeyFile   = "qwac-key.pem"
	QSEALFile     = "qseal.pem"
	QSEALKeyFile  = "qseal-key.pem"
	P256File      = "qseal-p256.pem"
	P256KeyFile   = "qseal-p256-key.pem"
	AppFile       = "application.pem" // of the sandbox's own application
	AppKeyFile    = "application-key.pem"
	serverFile    = "server.pem"
	serverKeyFile = "server-key.pem"
)

// Set is the CA of a sandbox and the certificates it has issued.
type Set struct {
	CA     *CA
	Server tls.Certificate
	QWAC   tls.Certificate
	QSEAL  tls.Certificate
	P256   tls.Certificate // a QSealC with an ECDSA key
	App    tls.Certificate // of an application at a gateway or a bank; its RSA key signs tokens and requests
}

// Open returns the set stored in dir. It replaces each certificate that is missing,
// does not match its key, was issued by another CA or expires within 30 days. If dir
// is empty, it generates a set in memory only.
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
		{&s.P256, P256File, P256KeyFile, func() (tls.Certificate, error) { return ca.Issue(P256()) }},
		{&s.App, AppFile, AppKeyFile, ca.Application},
	} {
		if found, ok := loadPair(dir, item.cert, item.key); ok && found.Leaf.CheckSignatureFrom(ca.Cert) == nil && usable(found.Leaf, now()) {
			*item.into = found
			continue
		}
		if *item.into, err = item.issue(); err != nil {
			return nil, err
		}
		if err := savePair(dir, item.cert, item.key, *item.into); err != nil {
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
	if found, ok := loadPair(dir, CAFile, caKeyFile); ok && usable(found.Leaf, now()) {
		if key, ok := found.PrivateKey.(*ecdsa.PrivateKey); ok {
			ca.Cert, ca.key = found.Leaf, key
			return ca, nil
		}
	}
	return ca, savePair(dir, CAFile, caKeyFile, tls.Certificate{Certificate: [][]byte{ca.Cert.Raw}, PrivateKey: ca.key})
}

func usable(cert *x509.Certificate, now time.Time) bool {
	return !now.Before(cert.NotBefore) && now.Add(30*24*time.Hour).Before(cert.NotAfter)
}

func loadPair(dir, certFile, keyFile string) (tls.Certificate, bool) {
	if dir == "" {
		return tls.Certificate{}, false
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certFile), filepath.Join(dir, keyFile))
	return pair, err == nil && pair.Leaf != nil
}

func savePair(dir, certFile, keyFile string, c tls.Certificate) error {
	if dir == "" {
		return nil
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return fmt.Errorf("pki: marshal key: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, keyFile), "PRIVATE KEY", key, 0o600); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, certFile), "CERTIFICATE", c.Certificate[0], 0o644)
}

// replaceFile writes a PEM file and replaces an existing one atomically.
func replaceFile(path, kind string, der []byte, mode fs.FileMode) error {
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

// OpenKey returns the RSA-2048 key that is stored in dir as name + "-key.pem", with mode
// 0600. It generates a key that is missing or cannot be read. If dir is empty, it generates
// one in memory only.
func OpenKey(dir, name string, random io.Reader) (*rsa.PrivateKey, error) {
	path := filepath.Join(dir, name+"-key.pem")
	if dir != "" {
		if key, ok := loadKey(path); ok {
			return key, nil
		}
	}
	key, err := rsa.GenerateKey(random, 2048)
	if err != nil || dir == "" {
		return key, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("pki: marshal key: %w", err)
	}
	return key, replaceFile(path, "PRIVATE KEY", der, 0o600)
}

func loadKey(path string) (*rsa.PrivateKey, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, false
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, false
	}
	private, ok := key.(*rsa.PrivateKey)
	return private, ok
}
