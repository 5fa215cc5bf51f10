// Package post makes the attempts of webhooks: one POST to a receiver, whose address is
// checked after its name was resolved and again when it is connected to. Success is a 2xx
// status line within the time of an attempt (docs/reference/api.md 7.2).
//
// It does not use net/http's client, which returns a status only after the whole header:
// a receiver that has said 200 has the event, whatever it does afterwards. No redirect is
// followed, no proxy of the environment is used, and no error shows an address, a header
// or a body.
package post

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/webhook"
)

// machine is the clock of connections: their deadlines are in the machine's time.
var machine = clock.System()

// Connections is how many connections a Receiver has at most.
const Connections = 4

// Resolver resolves names, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Config configures a Client. Targets is required.
type Config struct {
	Targets  webhook.Targets
	Resolver Resolver       // nil = the machine's
	Roots    *x509.CertPool // nil = the machine's
	Timeout  time.Duration  // of an attempt; 0 = webhook.Timeout
}

// Client makes Receivers. It is safe for concurrent use.
type Client struct{ cfg Config }

// New returns a client.
func New(c Config) *Client {
	c.Timeout = cmp.Or(c.Timeout, webhook.Timeout)
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	return &Client{c}
}

// Receiver is one endpoint with its connections. It is safe for concurrent use.
type Receiver struct {
	cfg    Config
	url    *url.URL // nil: the URL cannot be used
	places chan struct{}

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

// Receiver returns the receiver at a URL. If the operator does not allow it (any more),
// all attempts fail.
func (c *Client) Receiver(rawURL string) *Receiver {
	r := &Receiver{cfg: c.cfg, places: make(chan struct{}, Connections)}
	if c.cfg.Targets.CheckURL(rawURL) == nil {
		r.url, _ = url.Parse(rawURL)
	}
	return r
}

// Close closes the connections that are not in use, and the others when their attempts end.
func (r *Receiver) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, c := range r.idle {
		c.Close()
	}
	r.idle = nil
}

// Post makes one attempt. It waits for one of the receiver's connections to be free first, which is not
// part of the attempt: sign makes the header when it begins. If ctx ends before it begins, begun is false.
func (r *Receiver) Post(ctx context.Context, sign func(http.Header) error, body []byte) (o webhook.Outcome, begun bool) {
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		return webhook.Outcome{}, false
	}
	release := func() { <-r.places }
	start := machine.Now()
	ctx, cancel := context.WithDeadline(ctx, start.Add(r.cfg.Timeout))
	defer cancel()
	o, c := r.attempt(ctx, sign, body)
	o.Took = machine.Now().Sub(start)
	if c == nil {
		release()
		return o, true
	}
	go func() { // the rest of the answer keeps the place, and is not waited for
		defer release()
		r.settle(c)
	}()
	return o, true
}

// attempt returns the outcome, and the connection if the rest of the answer can be read.
func (r *Receiver) attempt(ctx context.Context, sign func(http.Header) error, body []byte) (webhook.Outcome, *conn) {
	if r.url == nil {
		return webhook.Outcome{Err: webhook.AddressRefused}, nil
	}
	request, err := r.request(sign, body)
	if err != nil {
		return webhook.Outcome{Err: webhook.NotSent}, nil
	}
	c := r.take()
	if c == nil {
		if c, err = r.dial(ctx); err != nil {
			return webhook.Outcome{Err: errorOf(ctx, err, webhook.ConnectionFailed)}, nil
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	o, err := c.exchange(request)
	if !stop() && err == nil { // the time ended together with the status
		err = context.DeadlineExceeded
		if o.Success() {
			err = nil // it has the event
		}
		c.Close()
		if err == nil {
			return o, nil
		}
	}
	if err != nil {
		c.Close()
		return webhook.Outcome{Err: errorOf(ctx, err, webhook.ConnectionClosed)}, nil
	}
	return o, c
}

// request returns the bytes of the request.
func (r *Receiver) request(sign func(http.Header) error, body []byte) ([]byte, error) {
	req := &http.Request{Method: http.MethodPost, URL: r.url, Host: r.url.Host, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Samla"}}, ContentLength: int64(len(body)),
		Body: readCloser{bytes.NewReader(body)}}
	if err := sign(req.Header); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := req.Write(&b)
	return b.Bytes(), err
}

type readCloser struct{ *bytes.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

// failed is an error with its entry of the closed set.
type failed struct {
	what  webhook.Error
	cause error
}

// Error implements error. It shows nothing of the receiver.
func (f failed) Error() string { return string(f.what) }

// Unwrap returns the cause.
func (f failed) Unwrap() error { return f.cause }

// errorOf returns the entry of the closed set for an error.
func errorOf(ctx context.Context, err error, other webhook.Error) webhook.Error {
	var timeout net.Error
	var known failed
	switch {
	case errors.Is(err, webhook.ErrAddress):
		return webhook.AddressRefused
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return webhook.TimedOut
	case errors.As(err, &known):
		return known.what
	}
	return other
}
