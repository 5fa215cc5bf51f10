// Package httpclient owns HTTP to the outside: one Client per partner, with its
// certificate (mTLS), message signature, time-outs, size limit and the fence
// around the partner's base URL. It hands whole answers to connectors. It repeats
// no request: retries belong to the callers.
//
// Nothing it returns or reports holds an address, a header or a body: those
// carry consent ids, tokens and personal numbers.
package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"samla/internal/clock"
)

// MaxBody is the most bytes of one answer that are read, after decompression.
const MaxBody = 16 << 20

// Config describes one partner. BaseURL is required; the zero value of each
// other member is its default.
type Config struct {
	// BaseURL is https, or http on the loopback interface. Everything the client
	// calls lies under it.
	BaseURL string
	// Certificate authenticates us (the QWAC, docs/reference/banks.md 9.1); nil = none.
	Certificate *tls.Certificate
	// Roots verifies the partner; nil = the system's.
	Roots *x509.CertPool
	// Signer signs each request; nil = not signed.
	Signer *Signer
	Limits Limits
	// Now is the time that certificates and signatures are judged by; nil = the
	// machine's.
	Now func() time.Time
	// BreakerNow is the time of the circuit breaker. It belongs to the network, as
	// the timeouts do, so nil = the machine's clock even where Now is another one.
	BreakerNow func() time.Time
	// Wrap is put around the transport, so that a test sees each exchange.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Limits of one exchange. They are the machine's time.
type Limits struct {
	Connect time.Duration // TCP and TLS, each; default 4 s
	Headers time.Duration // from the request's end to the answer's headers; default 8 s
	Whole   time.Duration // the whole exchange; default 12 s
	Body    int64         // bytes of one answer; default MaxBody
	Conns   int           // connections at once; more calls wait; default 64
}

func (l Limits) withDefaults() Limits {
	l.Connect = cmp.Or(l.Connect, 4*time.Second)
	l.Headers = cmp.Or(l.Headers, 8*time.Second)
	l.Whole = cmp.Or(l.Whole, 12*time.Second)
	l.Body = cmp.Or(l.Body, MaxBody)
	l.Conns = cmp.Or(l.Conns, 64)
	return l
}

// Client talks to one partner. It is safe for concurrent use.
type Client struct {
	base       base
	tls        *tls.Config
	transport  http.RoundTripper
	idle       func()
	signer     *Signer
	limits     Limits
	now        func() time.Time
	breakerNow func() time.Time
	breaker    breaker
}

// New makes a client. It fails on a base URL that is none.
func New(c Config) (*Client, error) {
	b, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.BreakerNow == nil {
		c.BreakerNow = clock.System().Now
	}
	if c.Now == nil {
		c.Now = clock.System().Now
	}
	limits := c.Limits.withDefaults()
	settings := tlsSettings(c, limits)
	plain := newTransport(settings, limits)
	client := &Client{
		base: b, tls: settings.Clone(), transport: plain, idle: plain.CloseIdleConnections,
		signer: c.Signer, limits: limits, now: c.Now, breakerNow: c.BreakerNow,
	}
	if c.Wrap != nil {
		client.transport = c.Wrap(plain)
	}
	return client, nil
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.idle() }

// Request is one request. The client owns Header and changes it.
type Request struct {
	Method string
	Target Target
	Header http.Header
	Body   []byte
}

// Response is a whole response, whatever its status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends the request and reads the whole response. It does not follow
// redirects. When there is no response, the error is an *Error.
//
// Do never repeats a request that the partner may have acted on, whatever its
// method: only the caller knows whether the partner counts it, or takes a repeat
// for the same request. A request is sent a second time in two cases only, both
// by net/http: nothing of it was written, because a kept connection turned out
// to be closed; or the partner declared over HTTP/2 that it did not process it
// (GOAWAY, or a stream reset with REFUSED_STREAM or PROTOCOL_ERROR before any
// response; RFC 9113 section 8.7 and section 8.1.1).
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Target.url == nil {
		return nil, &Error{Kind: Foreign, notSent: true}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if c.signer != nil {
		if err := c.signer.Sign(r.Header, r.Method, r.Target.requestURI(), r.Body, c.now()); err != nil {
			return nil, &Error{Kind: Unsigned, cause: err, notSent: true}
		}
	}
	trial, ok := c.breaker.allow(c.breakerNow())
	if !ok {
		return nil, &Error{Kind: CircuitOpen, notSent: true}
	}
	said := noOutcome
	defer func() { c.breaker.record(trial, said, c.breakerNow()) }()
	resp, err := c.send(ctx, r)
	said = outcomeOf(err)
	return resp, err
}

// send makes the one exchange of Do.
func (c *Client) send(caller context.Context, r Request) (*Response, error) {
	limited, stop := context.WithTimeout(caller, c.limits.Whole)
	defer stop()
	ctx, cancel := context.WithCancelCause(limited)
	defer cancel(nil)
	a := &attempt{cancel: cancel}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, a.trace()), r.Method, "", body)
	if err != nil {
		return nil, &Error{Kind: Failed, cause: err, notSent: true}
	}
	req.URL, req.Host, req.Header = r.Target.url, r.Target.url.Host, r.Header
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		e := classify(caller, limited, err)
		e.notSent = !a.connected.Load()
		if e.Kind == Failed && c.unwelcome(limited) {
			e.Kind = Unwelcome
		}
		return nil, e
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := readAll(resp, c.limits.Body)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &Error{Kind: TooLarge, Status: resp.StatusCode}
	case err != nil:
		return nil, classify(caller, limited, err)
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: answer}, nil
}

var errTooLarge = errors.New("answer is too large")

func readAll(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	if resp.ContentLength > 0 {
		b.Grow(int(resp.ContentLength) + bytes.MinRead) // one read, no growth
	}
	n, err := b.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if n > limit {
		return nil, errTooLarge
	}
	return b.Bytes(), err
}
