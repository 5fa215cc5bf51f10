package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/wire"
)

// Values of headers, made once: a header that is set per request costs an
// allocation.
var (
	jsonType = []string{"application/json"}
	noSniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
)

// smallBody is how long a body net/http finds the Content-Length of by itself.
const smallBody = 2000

// write answers with a JSON text.
func (c *call) write(status int, body []byte) error {
	h := c.w.Header()
	h["Content-Type"] = jsonType
	if len(body) > smallBody {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	c.status = status
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // the caller may be gone
	return nil
}

// writeJSON answers 200 with v.
func (c *call) writeJSON(v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	return c.write(http.StatusOK, body)
}

// marshal writes v as this face writes all JSON: without the escapes that only
// HTML needs.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// nothing answers 204.
func (c *call) nothing() error {
	c.status = http.StatusNoContent
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// problem answers with a fault (docs/reference/api.md 1.6). The cause of an internal one goes
// to the log and nowhere else.
func (c *call) problem(err error) {
	f := fault.From(err)
	if f.Code == fault.Internal {
		if c.cause = errors.Unwrap(f); c.cause == nil {
			c.cause = f
		}
	}
	c.status = fault.Of(f.Code).Status
	wire.WriteProblem(c.w, c.r, c.id, f)
}

// respond answers with a remembered or a new response of an idempotent route.
func (c *call) respond(resp dedupe.Response, replayed bool) error {
	h := c.w.Header()
	if resp.Location != "" {
		h["Location"] = []string{resp.Location}
	}
	if replayed {
		h["Idempotency-Replayed"] = []string{"true"}
	}
	return c.write(resp.Status, resp.Body)
}

// buffers are reused by the routes that append their answer.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// append answers 200 with what fill appends to an empty buffer.
func (c *call) append(fill func([]byte) []byte) error {
	buf := buffers.Get().(*[]byte)
	*buf = fill((*buf)[:0])
	err := c.write(http.StatusOK, *buf)
	buffers.Put(buf)
	return err
}
