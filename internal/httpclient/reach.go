package httpclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Reached is what one connection has shown of a partner.
type Reached struct {
	Took         time.Duration // name, TCP and TLS
	Now          time.Time     // the partner's clock, to the second; zero = it does not say
	PartnerUntil time.Time     // end of the partner's certificate; zero = no TLS
}

// reachTime limits Reach.
const reachTime = 10 * time.Second

// Reach opens a connection of its own, with our certificate, and asks for nothing but the
// headers of the partner's root, which no specification of accounts knows. It says whether
// the partner can be reached and what its clock is, not whether it answers requests.
// Errors: those of the network, without addresses; a rejected certificate as Do names it.
func (c *Client) Reach(ctx context.Context) (Reached, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	began := c.breakerNow()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.base.url.Hostname(), port(c.base.url)))
	if err != nil {
		return Reached{}, unreachable(err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var r Reached
	if c.base.url.Scheme == "https" {
		settings := c.tls.Clone()
		settings.ServerName, settings.NextProtos = c.base.url.Hostname(), []string{"http/1.1"}
		secure := tls.Client(conn, settings)
		if err := secure.HandshakeContext(ctx); err != nil {
			return Reached{}, c.handshakeError(err)
		}
		r.PartnerUntil = secure.ConnectionState().PeerCertificates[0].NotAfter
		conn = secure
	}
	r.Took = c.breakerNow().Sub(began)
	if _, err := fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", c.base.url.Host); err != nil {
		return r, c.handshakeError(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodHead})
	if err != nil {
		if _, rejected := alertKind(err); rejected {
			return r, c.handshakeError(err)
		}
		return r, nil // it was reached, and says no time
	}
	_ = response.Body.Close()
	r.Now, _ = http.ParseTime(response.Header.Get("Date"))
	return r, nil
}

// handshakeError names a rejected certificate, or returns what failed without addresses.
func (c *Client) handshakeError(err error) error {
	if kind, ok := alertKind(err); ok {
		return fmt.Errorf("the partner refuses our certificate (%s)", c.ourCertificateKind(kind))
	}
	var invalid *tls.CertificateVerificationError
	if errors.As(err, &invalid) {
		return errors.New("the partner's certificate is not valid here: its name, its end or its authority")
	}
	return unreachable(err)
}

// unreachable returns what failed, without addresses.
func unreachable(err error) error {
	var name *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &name):
		return errors.New("the name of its server is not known")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return errors.New("the connection failed")
}
