package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// certificateKind returns the kind of a TLS failure that is about a certificate, the
// partner's or ours, and reports whether err is one.
func certificateKind(err error) (Kind, bool) {
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		return serverCertificateKind(unverified.Err), true
	}
	return alertKind(err)
}

// serverCertificateKind tells apart why the partner's certificate was not accepted.
func serverCertificateKind(err error) Kind {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return ServerCertificateExpired
	case errors.As(err, &name):
		return ServerCertificateOtherName
	case errors.As(err, &authority):
		return ServerCertificateUntrusted
	}
	return ServerCertificateInvalid
}

// alertKinds are the alerts of a partner about our certificate, by a part of their
// text, in the order in which they are compared.
var alertKinds = []struct {
	text string
	kind Kind
}{
	{"expired certificate", CertificateExpired},
	{"unknown certificate authority", CertificateUntrusted},
	{"certificate", CertificateRejected},
	{"access denied", CertificateRejected},
	{"handshake failure", CertificateRejected},
}

// alertKind returns the kind of a TLS alert of the partner about our certificate, and
// reports whether err is one. crypto/tls exports no type for alerts, so only their
// operation and their texts tell them apart.
func alertKind(err error) (Kind, bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" || op.Err == nil {
		return "", false
	}
	text := op.Err.Error()
	for _, alert := range alertKinds {
		if strings.Contains(text, alert.text) {
			return alert.kind, true
		}
	}
	return "", false
}

// ourCertificateKind makes a rejection of our certificate more exact: many partners
// send the same alert for every fault of a certificate, but its expiry is known here.
func (c *Client) ourCertificateKind(k Kind) Kind {
	if k != CertificateRejected && k != CertificateUntrusted {
		return k
	}
	if until := c.certificateUntil; !until.IsZero() && c.now().After(until) {
		return CertificateExpired
	}
	return k
}

// validUntil returns the end of the validity of a certificate, or the zero time if
// there is none.
func validUntil(pair *tls.Certificate) time.Time {
	if pair == nil || len(pair.Certificate) == 0 {
		return time.Time{}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return time.Time{}
	}
	return leaf.NotAfter
}

// certificateCheckTime limits the check of rejection, and quietCheckTime its wait for
// an HTTP/1.1 server, which sends nothing first unless it rejects our certificate.
const (
	certificateCheckTime = time.Second
	quietCheckTime       = 300 * time.Millisecond
)

// rejection returns the kind of the alert with which the partner rejects our
// certificate, and reports whether it does. It opens a connection of its own and sends no
// request on it. In TLS 1.3 the partner's alert comes after the handshake, and
// net/http may report only that the connection has ended: its HTTP/2 client always, and
// its HTTP/1.1 client when the request that it has written makes the partner reset the
// connection. But the alert is what the operator has to know.
func (c *Client) rejection(ctx context.Context) (Kind, bool) {
	if c.base.url.Scheme != "https" {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, certificateCheckTime)
	defer cancel()
	settings := c.tls.Clone()
	settings.ClientSessionCache = nil // a resumed session sends no certificate
	settings.NextProtos = []string{"h2", "http/1.1"}
	dialer := tls.Dialer{Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.base.url.Hostname(), port(c.base.url)))
	if err != nil {
		return alertKind(err)
	}
	defer func() { _ = conn.Close() }()
	if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
		ctx, cancel = context.WithTimeout(ctx, quietCheckTime)
		defer cancel()
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err = conn.Read(make([]byte, 1))
	return alertKind(err)
}
