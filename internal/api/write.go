package api

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"samla/internal/fault"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// Header values that are the same in every answer: a new slice per request would be an
// allocation.
var (
	jsonType = []string{"application/json"}
	noSniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
)

// withLength is the size of a body in bytes up to which net/http itself sets
// Content-Length.
const withLength = 2000

// Write answers with a JSON text.
func (c *Call) Write(status int, body []byte) error {
	if c.rewrite != nil && status/100 == 2 {
		var err error
		if body, err = c.rewrite(body); err != nil {
			return err
		}
	}
	h := c.w.Header()
	h["Content-Type"] = c.contentType()
	if len(body) > withLength {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	c.status = status
	c.w.WriteHeader(status)
	c.incomplete = c.writePieces(body) != nil
	return nil
}

// SetType makes the body of the answer a text of another media type than JSON. A problem
// document keeps its own.
func (c *Call) SetType(mediaType string) { c.mediaType = []string{mediaType} }

func (c *Call) contentType() []string {
	if c.mediaType != nil {
		return c.mediaType
	}
	return jsonType
}

// WriteJSON answers 200 with v in JSON.
func (c *Call) WriteJSON(v any) error {
	body, err := jsontext.Marshal(v)
	if err != nil {
		return err
	}
	return c.Write(http.StatusOK, body)
}

// buffers are the buffers of WriteAppended.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// WriteAppended answers 200 with the JSON text that f appends to a buffer. The buffer
// is used again: f must not keep it.
func (c *Call) WriteAppended(f func([]byte) []byte) error {
	buf := buffers.Get().(*[]byte)
	*buf = f((*buf)[:0])
	err := c.Write(http.StatusOK, *buf)
	buffers.Put(buf)
	return err
}

// WriteNothing answers 204.
func (c *Call) WriteNothing() error {
	c.status = http.StatusNoContent
	if c.ownDeadline() {
		c.setDeadline()
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// retryAfterOutage is when a client may try again that found the database unavailable.
const retryAfterOutage = 3 * time.Second

// problem answers with the problem document of an error (docs/reference/api.md 1.6).
// The cause of an internal error, and of an outage, is only in the log.
func (c *Call) problem(err error) {
	f := fault.From(err)
	if f.Code == fault.Internal {
		if c.cause = errors.Unwrap(f); c.cause == nil {
			c.cause = f
		}
		if outage := c.route.h.outage(c.cause); outage != "" {
			f = fault.New(fault.Unavailable)
			f.RetryAfter = retryAfterOutage
		}
	}
	c.status = fault.Of(f.Code).Status
	if c.ownDeadline() {
		c.setDeadline()
	}
	wire.WriteProblem(c.w, c.r, c.id, f)
}
