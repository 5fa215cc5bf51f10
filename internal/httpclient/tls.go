package httpclient

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

func newTLSConfig(c Config, l Limits) *tls.Config {
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    c.Roots,
		Time:       c.Now,
		// With a resumed session, neither side checks certificates again.
		ClientSessionCache: tls.NewLRUClientSessionCache(l.MaxConns),
	}
	if c.Certificate != nil {
		// Our certificate is sent whatever CAs the partner lists: many banks send a
		// list without the issuer of the QWAC.
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.Certificate, nil
		}
	}
	return settings
}

// ErrPEM is wrapped by the errors of LoadKeyPair, LoadKey and LoadRoots. An operator reads them
// behind the name of the setting: they say which file is meant and what is wrong, without
// the path, which the caller knows.
var ErrPEM = errors.New("cannot be used")

// LoadKeyPair reads a certificate chain, our own certificate first, and its key
// from PEM files.
func LoadKeyPair(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("%w: the certificate's file: %w", ErrPEM, WithoutPath(err))
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: the key's file: %w", ErrPEM, WithoutPath(err))
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrPEM, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return &pair, nil
}

// LoadKey reads a private key from a PEM file: PKCS #1, PKCS #8 or SEC 1, not encrypted.
func LoadKey(file string) (crypto.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: the file: %w", ErrPEM, WithoutPath(err))
	}
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, fmt.Errorf("%w: no private key in PEM form (PKCS #1 or #8, not encrypted)", ErrPEM)
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	}
}

// LoadRoots reads the CA certificates that verify a partner from a PEM file.
func LoadRoots(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: the file: %w", ErrPEM, WithoutPath(err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%w: no certificate in PEM form", ErrPEM)
	}
	return pool, nil
}

// WithoutPath returns the error of a file without the path that package os puts into it.
func WithoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
