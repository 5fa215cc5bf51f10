package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"
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

// certificateCheckTime limits the check of certificateRejected.
const certificateCheckTime = time.Second

// certificateRejected reports whether the partner rejects our certificate. It
// opens a connection of its own and sends no request on it. In TLS 1.3 the
// partner's alert comes after the handshake, and the HTTP/2 client of net/http
// may report only that the connection has ended; but the alert is what the
// operator has to know.
func (c *Client) certificateRejected(ctx context.Context) bool {
	if c.base.url.Scheme != "https" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, certificateCheckTime)
	defer cancel()
	settings := c.tls.Clone()
	settings.ClientSessionCache = nil // a resumed session sends no certificate
	settings.NextProtos = []string{"h2", "http/1.1"}
	dialer := tls.Dialer{Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.base.url.Hostname(), port(c.base.url)))
	if err != nil {
		return isCertificateAlert(err)
	}
	defer func() { _ = conn.Close() }()
	if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
		return false // an HTTP/1.1 server sends nothing first, and its client reports alerts
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err = conn.Read(make([]byte, 1))
	return isCertificateAlert(err)
}

// isCertificateAlert reports whether err is a TLS alert of the partner about our
// certificate. crypto/tls exports no type for alerts, so only their operation
// and their texts tell them apart.
func isCertificateAlert(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return false
	}
	text := op.Err.Error()
	for _, about := range []string{"certificate", "access denied", "handshake failure"} {
		if strings.Contains(text, about) {
			return true
		}
	}
	return false
}

// ErrPEM is wrapped by the errors of LoadKeyPair and LoadRoots. They say what is
// wrong without the path, which the caller knows.
var ErrPEM = errors.New("httpclient: certificate file")

// LoadKeyPair reads a certificate chain, our own certificate first, and its key
// from PEM files.
func LoadKeyPair(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPEM, withoutPath(err))
	}
	return &pair, nil
}

// LoadRoots reads the CA certificates that verify a partner from a PEM file.
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
