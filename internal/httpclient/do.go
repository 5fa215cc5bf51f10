package httpclient

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"samla/internal/tracing"
)

// Request is one request. Do adds headers to Header.
type Request struct {
	Method string
	Target Target
	Header http.Header
	Body   []byte

	// Total limits the whole exchange; 0 = Limits.Total. It can be less, not more.
	Total time.Duration
	// MaxBody limits the bytes of the response body; 0 = Limits.MaxBody.
	MaxBody int64
	// Room takes memory for n bytes of the response body, in addition to FreeBody and
	// to what it took before. It may wait until there is some, and returns an error if
	// ctx ends first. Nil = the memory is not limited.
	Room func(ctx context.Context, n int) error
}

// FreeBody is the number of bytes of a response body for which Request.Room is not called.
const FreeBody = 64 << 10

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
// response; RFC 9113 sections 8.7 and 8.1.1).
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if r.Target.client != c {
		return nil, outsideBaseURL()
	}
	trial, refused := c.breaker.allow(c.breakerNow())
	if refused != nil {
		return nil, refused
	}
	seen := noOutcome
	defer func() { c.breaker.record(trial, seen, c.breakerNow()) }()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if c.traced {
		tracing.Inject(ctx, r.Header) // before the signature, which may cover it
	}
	if c.signer != nil {
		if err := c.signer.Sign(ctx, r.Header, r.Method, r.Target.requestURI(), r.Body, c.now()); err != nil {
			return nil, notSigned(ctx, err)
		}
	}
	a := &attempt{now: c.breakerNow}
	resp, err := c.exchange(ctx, a, r)
	if seen = outcomeOf(err); seen == responded && a.took() >= c.limits.Slow {
		seen = slowly
	}
	return resp, err
}

func notSigned(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Kind: Canceled, cause: ctx.Err(), notSent: true}
	}
	return &Error{Kind: SigningFailed, cause: err, notSent: true}
}

// exchange sends the request, signed, and reads the response.
func (c *Client) exchange(caller context.Context, a *attempt, r Request) (*Response, error) {
	limited, stop := context.WithTimeout(caller, min(cmp.Or(r.Total, c.limits.Total), c.limits.Total))
	defer stop()
	ctx, cancel := context.WithCancelCause(limited)
	defer cancel(nil)
	a.cancel = cancel
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, a.trace()), r.Method, "", body)
	if err != nil {
		return nil, &Error{Kind: ConnectionFailed, cause: err, notSent: true}
	}
	req.URL, req.Host, req.Header = r.Target.url, r.Target.url.Host, r.Header
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		e := classify(caller, limited, err)
		e.notSent = !a.connected.Load()
		// A connection attempt fails before the whole time is over.
		e.queued = e.notSent && e.Kind == Timeout && limited.Err() != nil
		if e.Kind == ConnectionFailed {
			if kind, rejected := c.rejection(limited); rejected {
				e.Kind = kind
			}
		}
		e.Kind = c.ourCertificateKind(e.Kind)
		return nil, e
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := readAll(limited, resp, cmp.Or(r.MaxBody, c.limits.MaxBody), r.Room)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &Error{Kind: ResponseTooLarge, Status: resp.StatusCode}
	case errors.Is(err, errNoRoom) && caller.Err() == nil:
		return nil, &Error{Kind: NoRoom}
	case err != nil:
		return nil, classify(caller, limited, err)
	case limited.Err() != nil && resp.ProtoMajor == 1 && resp.ContentLength < 0:
		// We have closed the connection, and a server that notices it may end the body
		// as if it were complete.
		return nil, classify(caller, limited, limited.Err())
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: content}, nil
}

var (
	errTooLarge = errors.New("httpclient: the response body is too large")
	errNoRoom   = errors.New("httpclient: there is no memory for the response body")
)

// readAll reads the body. It returns errTooLarge when it has more than limit bytes, and
// errNoRoom when room returns an error.
func readAll(ctx context.Context, resp *http.Response, limit int64, room func(context.Context, int) error) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	taken := FreeBody
	take := func(n int) error {
		if n > taken && room != nil {
			if room(ctx, n-taken) != nil {
				return errNoRoom
			}
		}
		taken = max(taken, n)
		return nil
	}
	size := FreeBody / 8
	if resp.ContentLength >= 0 {
		size = int(resp.ContentLength) + 1 // so that the end is read without growing
	}
	if err := take(size); err != nil {
		return nil, err
	}
	content := make([]byte, 0, size)
	for {
		n, err := resp.Body.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch {
		case int64(len(content)) > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return content, nil
		case err != nil:
			return nil, err
		}
		if len(content) == cap(content) {
			size = min(2*cap(content), int(limit)+1)
			if err := take(size); err != nil {
				return nil, err
			}
			content = append(make([]byte, 0, size), content...)
		}
	}
}
