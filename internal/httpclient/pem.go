package httpclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrPEM is wrapped by the errors of LoadPair and LoadRoots. They name what is
// wrong, not where: the caller knows the file.
var ErrPEM = errors.New("httpclient: certificate file")

// LoadPair reads a certificate chain, ours first, and its key from PEM files.
func LoadPair(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPEM, withoutPath(err))
	}
	return &pair, nil
}

// LoadRoots reads the CAs that a partner's certificate is verified by.
func LoadRoots(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPEM, withoutPath(err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%w: no certificate in PEM form", ErrPEM)
	}
	return pool, nil
}

func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
