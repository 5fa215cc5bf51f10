// Package httpclient sends HTTP requests to partners, the institutions that
// Samla calls. A Client talks to one partner, with its client certificate (mTLS),
// message signature, timeouts, size limit and circuit breaker. It returns whole
// responses to the connectors.
//
// It guarantees:
//
//   - No byte goes to another host. Only NewTarget, Below and Resolve make a Target,
//     and all refuse what is outside the partner's base URL. No redirect is followed
//     and no proxy is used.
//   - No error, and no String method, shows an address, a header or a body: they
//     hold consent ids, tokens and personal numbers.
//   - The partner receives a request at most once; see Client.Do for the two
//     exceptions, which it cannot have acted on. Retries belong to the callers.
package httpclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"

	"samla/internal/clock"
)

// Config describes one partner. BaseURL is required; the zero value of each
// other member is its default.
type Config struct {
	// BaseURL is https, or http on the loopback interface. Every request goes to an
	// address below it.
	BaseURL string
	// Query has parameters that every address gets which does not have them.
	Query url.Values
	// Certificate identifies us in TLS (the QWAC, docs/reference/banks.md 9.1);
	// nil = none.
	Certificate *tls.Certificate
	// Roots verifies the partner; nil = the system's.
	Roots *x509.CertPool
	// Signer signs each request; nil = not signed.
	Signer Signer
	// Traceparent: each request carries the span of its context in the header traceparent.
	Traceparent bool
	Limits      Limits
	// Now is the time at which certificates are verified and signatures are made;
	// nil = the machine's clock.
	Now func() time.Time
	// BreakerNow is the time of the circuit breaker. It belongs to the network, as
	// the timeouts do, so nil = the machine's clock even where Now is another one.
	BreakerNow func() time.Time
	// WrapTransport returns the transport that is used in place of its argument,
	// so that a test sees each exchange.
	WrapTransport func(http.RoundTripper) http.RoundTripper
}

// Signer adds a signature to the headers of a request; package httpsig has one.
// requestURI is the path and query as they are sent. When ctx ends, Sign returns
// an error that wraps ctx's.
type Signer interface {
	Sign(ctx context.Context, h http.Header, method, requestURI string, body []byte, now time.Time) error
}

// Limits are the limits of one exchange. The durations are measured with the
// machine's clock.
type Limits struct {
	Connect        time.Duration // TCP and TLS, each; default 4 s
	ResponseHeader time.Duration // from the end of the request to the header of the response; default 8 s
	Total          time.Duration // the whole exchange, without the signature; default 12 s
	Slow           time.Duration // a response that takes longer is slow, for the circuit breaker; default 5 s
	MaxBody        int64         // bytes of a response body, decompressed; default 16 MiB
	MaxConns       int           // connections at the same time; further requests wait; default 64
}

func (l Limits) withDefaults() Limits {
	l.Connect = cmp.Or(l.Connect, 4*time.Second)
	l.ResponseHeader = cmp.Or(l.ResponseHeader, 8*time.Second)
	l.Total = cmp.Or(l.Total, 12*time.Second)
	l.Slow = cmp.Or(l.Slow, 5*time.Second)
	l.MaxBody = cmp.Or(l.MaxBody, 16<<20)
	l.MaxConns = cmp.Or(l.MaxConns, 64)
	return l
}

// Client sends requests to one partner. It is safe for concurrent use.
type Client struct {
	base       base
	query      url.Values
	tls        *tls.Config
	transport  http.RoundTripper
	closeIdle  func()
	signer     Signer
	traced     bool
	limits     Limits
	now        func() time.Time
	breakerNow func() time.Time
	breaker    breaker

	certificateUntil time.Time // end of the validity of our certificate; zero = none
}

// New returns a client. Errors: the base URL is not valid.
func New(c Config) (*Client, error) {
	b, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = clock.System().Now
	}
	if c.BreakerNow == nil {
		c.BreakerNow = clock.System().Now
	}
	limits := c.Limits.withDefaults()
	settings := newTLSConfig(c, limits)
	transport := newTransport(settings, limits)
	client := &Client{
		base: b, query: c.Query, tls: settings.Clone(), transport: transport, closeIdle: transport.CloseIdleConnections,
		signer: c.Signer, traced: c.Traceparent, limits: limits, now: c.Now, breakerNow: c.BreakerNow,
		certificateUntil: validUntil(c.Certificate),
	}
	if c.WrapTransport != nil {
		client.transport = c.WrapTransport(transport)
	}
	return client, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.closeIdle() }

// receiveBuffer is how much of a response over HTTP/2 is received before it is read. At a
// distance of 50 ms it allows 10 MB a second.
const receiveBuffer = 512 << 10

// newTransport returns a transport that uses HTTP/2 where the partner does, else
// HTTP/1.1, over connections that are kept. For many small exchanges HTTP/2 takes
// a fifth less processor time on both ends together (BenchmarkExchange compares
// them): it needs fewer writes, wakes fewer goroutines, and shares one connection
// where HTTP/1.1 needs one, with its handshake, for each request at a time.
func newTransport(settings *tls.Config, l Limits) *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: l.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       settings,
		TLSHandshakeTimeout:   l.Connect,
		ResponseHeaderTimeout: l.ResponseHeader,
		MaxConnsPerHost:       l.MaxConns,
		MaxIdleConns:          l.MaxConns,
		MaxIdleConnsPerHost:   l.MaxConns,
		IdleConnTimeout:       60 * time.Second,
		Protocols:             &protocols,
		// One connection carries all requests, so a broken one must be noticed.
		// What a partner sends before we read it is kept in memory, by default 4 MiB of each
		// response.
		HTTP2: &http.HTTP2Config{SendPingTimeout: l.ResponseHeader, PingTimeout: l.Connect,
			MaxReceiveBufferPerStream: receiveBuffer, MaxReceiveBufferPerConnection: 16 * receiveBuffer},
		// A proxy would terminate the mutual TLS, so none is taken from the environment.
		Proxy: nil,
	}
}
