// Package httpclient owns HTTP to the outside: one Client per partner, with its
// certificate (mTLS), message signature, time-outs, size limit, repeats and the
// fence around the partner's base URL. It hands whole answers to connectors.
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
	// Pauses times the pauses between repeats and the rest of the breaker. They
	// belong to the network, as the time-outs do, so nil = the machine's clock
	// also where the flow runs on another one.
	Pauses clock.Clock
	// Wrap is put around the transport, so that a test sees each exchange.
	Wrap func(http.RoundTripper) http.RoundTripper
}

// Limits of one exchange. They are the machine's time.
type Limits struct {
	Connect time.Duration // TCP and TLS, each; default 4 s
	Headers time.Duration // from the request's end to the answer's headers; default 8 s
	Whole   time.Duration // everything, repeats included; default 12 s
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
	base      base
	tls       *tls.Config
	transport http.RoundTripper
	idle      func()
	signer    *Signer
	limits    Limits
	now       func() time.Time
	pauses    clock.Clock
	breaker   breaker
}

// New makes a client. It fails on a base URL that is none.
func New(c Config) (*Client, error) {
	b, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.Pauses == nil {
		c.Pauses = clock.System()
	}
	if c.Now == nil {
		c.Now = clock.System().Now
	}
	limits := c.Limits.withDefaults()
	settings := tlsSettings(c, limits)
	plain := newTransport(settings, limits)
	client := &Client{
		base: b, tls: settings.Clone(), transport: plain, idle: plain.CloseIdleConnections,
		signer: c.Signer, limits: limits, now: c.Now, pauses: c.Pauses,
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
	// Replay declares that the partner treats a repeat of this POST or PUT as
	// the same request. GET and DELETE need no such word.
	Replay bool
}

// Response is a whole answer, whatever its status.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends the request and reads the whole answer. Redirects are answers and
// not followed. A GET, a DELETE and what is declared Replay is repeated, the
// same bytes again, when the connection failed or a gateway stood in for the
// partner (502, 503, 504 without Retry-After); nothing else ever is. Without an
// answer the error is an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Target.url == nil {
		return nil, &Error{Kind: Foreign}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if c.signer != nil {
		if err := c.signer.Sign(r.Header, r.Method, r.Target.requestURI(), r.Body, c.now()); err != nil {
			return nil, &Error{Kind: Unsigned, cause: err}
		}
	}
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, c.limits.Whole)
	defer cancel()
	repeatable := r.Replay || r.Method == http.MethodGet || r.Method == http.MethodDelete
	for attempt := 0; ; attempt++ {
		if !c.breaker.admit(c.pauses.Now()) {
			return nil, &Error{Kind: Broken}
		}
		resp, err := c.once(ctx, r)
		c.breaker.record(answered(err), caller.Err() != nil, c.pauses.Now())
		if !repeatable || attempt == maxRepeats || !passing(resp, err) {
			return resp, err
		}
		if clock.Sleep(ctx, c.pauses, clock.Backoff(attempt+1, firstPause, lastPause)) != nil {
			return resp, err
		}
	}
}

func (c *Client) once(ctx context.Context, r Request) (*Response, error) {
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, "", body)
	if err != nil {
		return nil, &Error{Kind: Failed, cause: err}
	}
	req.URL, req.Host, req.Header = r.Target.url, r.Target.url.Host, r.Header
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		e := classify(ctx, err)
		if e.Kind == Failed && c.unwelcome(ctx) {
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
		return nil, classify(ctx, err)
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
