package api_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
)

// serve serves a handler as a node does, and returns the address.
func serve(t *testing.T, e *env) string {
	t.Helper()
	h := e.handler(mounts(newer(t)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, MaxHeaderBytes: 4 << 10, DisableGeneralOptionsHandler: true}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(h.Listener(l)) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return l.Addr().String()
}

// sent is the answer to a text that is sent on a new connection.
type sent struct {
	*http.Response
	body    []byte
	problem struct {
		Code                         fault.Code
		Status                       int
		Instance, Details, RequestID string
	}
}

func exchange(t *testing.T, c net.Conn, r *bufio.Reader, text string) sent {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	var s sent
	var err error
	if s.Response, err = http.ReadResponse(r, nil); err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	if s.body, err = io.ReadAll(s.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(s.body, &s.problem)
	return s
}

func dial(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// What net/http refuses before a handler sees it is answered like every other error.
func TestListener_AnswersRefusalsWithProblems(t *testing.T) {
	address := serve(t, newEnv(t))
	const host = "Host: api\r\n"
	for name, tc := range map[string]struct {
		text     string
		code     fault.Code
		instance string
		details  string
	}{
		"escape":          {"GET /users/%zz HTTP/1.1\r\n" + host, fault.MalformedRequest, "/users/%25zz", ""},
		"escape and rest": {"GET /users/%?a=b HTTP/1.1\r\n" + host, fault.MalformedRequest, "/users/%25", ""},
		"no HTTP":         {"hello\r\n", fault.MalformedRequest, "/", ""},
		"TLS":             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", fault.MalformedRequest, "/", ""},
		"method":          {"G(T /loans HTTP/1.1\r\n" + host, fault.MalformedRequest, "/loans", ""},
		"no host":         {"GET /loans HTTP/1.1\r\n", fault.MalformedRequest, "/loans", "missing required Host header"},
		"two hosts":       {"GET /loans HTTP/1.1\r\n" + host + host, fault.MalformedRequest, "/loans", ""},
		"header name":     {"GET /loans HTTP/1.1\r\n" + host + "a b: c\r\n", fault.MalformedRequest, "/loans", "invalid header name"},
		"header value":    {"GET /loans HTTP/1.1\r\n" + host + "a: \x00\r\n", fault.MalformedRequest, "/loans", ""},
		"length":          {"POST /loans HTTP/1.1\r\n" + host + "Content-Length: x\r\n", fault.MalformedRequest, "/loans", ""},
		"two lengths":     {"POST /loans HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n", fault.MalformedRequest, "/loans", ""},
		"coding":          {"POST /loans HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n", fault.MalformedRequest, "/loans", ""},
		"version":         {"GET /loans HTTP/3.1\r\n" + host, fault.MalformedRequest, "/loans", "unsupported protocol version"},
		"expectation":     {"POST /loans?a=b HTTP/1.1\r\n" + host + "Expect: the-impossible\r\n", fault.ExpectationFailed, "/loans", ""},
		"large headers":   {"GET /loans HTTP/1.1\r\n" + host + "a: " + strings.Repeat("x", 16<<10) + "\r\n", fault.HeadersTooLarge, "/loans", ""},
		"large path":      {"GET /" + strings.Repeat("x", 16<<10) + " HTTP/1.1\r\n" + host, fault.HeadersTooLarge, "/", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := dial(t, address)
			a := exchange(t, c, r, tc.text+"\r\n")
			p := a.problem
			if p.Code != tc.code || a.StatusCode != fault.Of(tc.code).Status || p.Status != a.StatusCode || p.Instance != tc.instance || p.Details != tc.details {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
			h := a.Header
			if h.Get("Content-Type") != "application/problem+json" || p.RequestID == "" || h.Get("X-Request-Id") != p.RequestID ||
				h.Get("Date") == "" || h.Get("Insurely-Version") == "" || !a.Close {
				t.Errorf("%v", h)
			}
			if _, err := r.ReadByte(); err == nil {
				t.Error("more follows")
			}
		})
	}
}

// A refusal names the path of its own request, not that of an earlier one on the
// connection.
func TestListener_NamesPathOfLastRequest(t *testing.T) {
	c, r := dial(t, serve(t, newEnv(t)))
	for range 3 {
		if a := exchange(t, c, r, "GET /hours HTTP/1.1\r\nHost: api\r\n\r\n"); a.StatusCode != http.StatusOK || string(a.body) != `{"open":true}` {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	if a := exchange(t, c, r, "GET /loans/%x HTTP/1.1\r\nHost: api\r\n\r\n"); a.problem.Instance != "/loans/%25x" {
		t.Errorf("%s", a.body)
	}
}

// "*" has no path that could be served.
func TestHandler_AnswersAsterisk(t *testing.T) {
	c, r := dial(t, serve(t, newEnv(t)))
	for _, method := range []string{"OPTIONS", "GET"} {
		if a := exchange(t, c, r, method+" * HTTP/1.1\r\nHost: api\r\n\r\n"); a.problem.Code != fault.NotFound {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.body)
		}
	}
}
