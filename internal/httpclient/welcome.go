package httpclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// welcomeTime is how long the partner has to say what it thinks of us.
const welcomeTime = time.Second

// unwelcome asks on a connection of its own, on which nothing is requested,
// whether the partner refuses our certificate. In TLS 1.3 that word comes after
// the handshake, and the HTTP/2 client may report the end of the connection
// without it; but it is what the operator has to know.
func (c *Client) unwelcome(ctx context.Context) bool {
	if c.base.url.Scheme != "https" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, welcomeTime)
	defer cancel()
	settings := c.tls.Clone()
	settings.ClientSessionCache = nil // a resumed session would skip the certificate
	settings.NextProtos = []string{"h2", "http/1.1"}
	dialer := tls.Dialer{Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.base.url.Hostname(), port(c.base.url)))
	if err != nil {
		return alerted(err)
	}
	defer func() { _ = conn.Close() }()
	if conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
		return false // an HTTP/1.1 server waits for us to speak, and its client tells alerts
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err = conn.Read(make([]byte, 1))
	return alerted(err)
}
