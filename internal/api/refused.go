package api

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"samla/internal/fault"
	"samla/internal/wire"
)

// net/http refuses what it cannot read as a request before a handler sees it: a path with
// broken escapes, headers that are too large, an Expect that it does not know. Its answer
// is a plain text, written to the connection. On the connections of this listener it is a
// problem document like every other error (docs/reference/api.md 1.6).

// Listener returns a listener for the server of the handler.
func (h *Handler) Listener(l net.Listener) net.Listener { return listener{l, h} }

type listener struct {
	net.Listener
	h *Handler
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, h: l.h}, nil
}

// conn is a connection that replaces the refusals of net/http.
type conn struct {
	net.Conn
	h    *Handler
	line []byte // the request line that was read last
}

// maxLine is the longest request line that is kept, for the member instance.
const maxLine = 2 << 10

// Read keeps the request line with which a text begins.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	head := p[:min(n, maxLine)]
	if end := bytes.IndexByte(head, '\n'); end > 0 && bytes.Contains(head[:end], []byte(" HTTP/")) {
		c.line = append(c.line[:0], head[:end]...)
	}
	return n, err
}

// Write writes a problem document in place of a refusal.
func (c *conn) Write(p []byte) (int, error) {
	f := refusal(p)
	if f == nil {
		return c.Conn.Write(p)
	}
	if err := c.h.refuseConn(c.Conn, f, c.line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite lets the client read an answer to headers that it is still sending:
// net/http calls it before it closes the connection.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// plainText follows the status line of each refusal but 417. No answer of a handler has
// it.
var plainText = []byte("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// refusal returns the fault that a refusal of net/http is, or nil for any other text.
func refusal(p []byte) *fault.Fault {
	const status = len("HTTP/1.1 ")
	if len(p) < status+3 || p[status] < '4' || p[status-1] != ' ' || !bytes.HasPrefix(p, []byte("HTTP/1.")) {
		return nil
	}
	line, rest, _ := bytes.Cut(p, []byte("\r\n"))
	code, err := strconv.Atoi(string(line[status : status+3]))
	switch {
	case err != nil:
		return nil
	case code == http.StatusExpectationFailed:
		return fault.New(fault.ExpectationFailed)
	case !bytes.HasPrefix(rest, plainText):
		return nil
	case code == http.StatusRequestHeaderFieldsTooLarge:
		return fault.New(fault.HeadersTooLarge)
	}
	// The reason has no value of the request, such as "missing required Host header".
	_, reason, _ := bytes.Cut(line, []byte(": "))
	return fault.Detailed(fault.MalformedRequest, string(reason))
}

// refuseConn writes a fault to a connection, as the last answer on it.
func (h *Handler) refuseConn(w io.Writer, f *fault.Fault, line []byte) error {
	a := answer{header: http.Header{
		"Connection": {"close"}, "Date": {h.Clock.Now().UTC().Format(http.TimeFormat)},
		"X-Request-Id": {h.IDs.New()}, wire.VersionHeader: h.versions[0].header,
		"X-Content-Type-Options": noSniff, "Cache-Control": noStore,
	}}
	id := a.header.Get("X-Request-Id")
	wire.WriteProblem(&a, &http.Request{URL: &url.URL{Path: target(line)}}, id, f)
	h.Log.Debug("refused", "status", a.status, "request", id)
	var text bytes.Buffer
	text.WriteString("HTTP/1.1 " + strconv.Itoa(a.status) + " " + http.StatusText(a.status) + "\r\n")
	_ = a.header.Write(&text) // to a buffer: cannot fail
	text.WriteString("\r\n")
	text.Write(a.body.Bytes())
	_, err := w.Write(text.Bytes())
	return err
}

// target returns the path of a request line, or "/" if it has none.
func target(line []byte) string {
	if fields := strings.Fields(string(line)); len(fields) > 1 {
		path, _, _ := strings.Cut(fields[1], "?")
		if strings.HasPrefix(path, "/") {
			return path
		}
	}
	return "/"
}

// answer is the answer of WriteProblem before it is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }
