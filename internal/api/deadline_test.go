package api_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"samla/internal/api"
	"samla/internal/clock/clocktest"
	"samla/internal/wire"
)

// large is a body that the buffers of a connection cannot hold.
var large = bytes.Repeat([]byte("0123456789abcdef"), 1<<20)

// sending returns a handler whose path /hours answers with a body, and a channel that
// is closed when an answer is written, or given up.
func (e *env) sending(body []byte, timeout time.Duration) (http.Handler, <-chan struct{}) {
	written := make(chan struct{})
	list := mounts(newer(e))
	list[1] = api.Mount{Path: "/hours", Callers: wire.None, Write: timeout, Endpoints: api.Endpoints{
		"setHours": answers(""),
		"getHours": {Serve: func(c *api.Call) error {
			defer close(written)
			return c.Write(http.StatusOK, body)
		}}}}
	return e.handler(list), written
}

const getHours = "GET /hours HTTP/1.1\r\nHost: api\r\n\r\n"

// A client that reads nothing of a large answer is disconnected when the time-out is
// over.
func TestWrite_DisconnectsClientThatReadsNothing(t *testing.T) {
	const timeout = 100 * time.Millisecond
	e := newEnv(t)
	h, written := e.sending(large, timeout)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	s := &http.Server{Handler: h, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}}
	go func() { _ = s.Serve(l) }()
	defer func() { _ = s.Close() }()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	start := time.Now()
	if _, err := io.WriteString(client, getHours); err != nil {
		t.Fatal(err)
	}
	for name, done := range map[string]<-chan struct{}{"the endpoint": written, "the connection": closed} {
		clocktest.Receive(t, "the end of "+name, done)
	}
	if took := time.Since(start); took < timeout {
		t.Errorf("disconnected after %v", took)
	}
	if n, err := io.Copy(io.Discard, client); n >= int64(len(large)) {
		t.Errorf("%d bytes arrived, %v", n, err)
	}
	if log := e.log.String(); !strings.Contains(log, "route=/hours status=200") || !strings.Contains(log, "incomplete=true") {
		t.Error(log)
	}
}

// pipe serves one connection without buffers between client and server.
func pipe(t *testing.T, h http.Handler, writeTimeout time.Duration) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	l := &listener{conns: make(chan net.Conn, 1)}
	l.conns <- server
	s := &http.Server{Handler: h, WriteTimeout: writeTimeout}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); _ = client.Close() })
	return client
}

// listener accepts the connections of a channel.
type listener struct{ conns chan net.Conn }

func (l *listener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l *listener) Close() error   { close(l.conns); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// The time-out is for each piece: a client that needs much longer for the whole answer
// gets all of it.
func TestWrite_ServesSlowReaderCompletely(t *testing.T) {
	const timeout = 30 * time.Second
	e := newEnv(t)
	body := large[:40*api.Piece+1]
	synctest.Test(t, func(t *testing.T) {
		h, _ := e.sending(body, timeout)
		client := pipe(t, h, 0)
		start := time.Now()
		if _, err := io.WriteString(client, getHours); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReaderSize(slowReader{client, timeout / 10}, api.Piece), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d of %d bytes, %v", len(got), len(body), err)
		}
		if took := time.Since(start); took < 10*timeout {
			t.Errorf("the client is not slow: %v", took)
		}
	})
}

// slowReader waits before each read of at most a quarter of a piece.
type slowReader struct {
	net.Conn
	wait time.Duration
}

func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(r.wait)
	return r.Conn.Read(p[:min(len(p), api.Piece/4)])
}

// A client that stops in the middle has the time of one piece.
func TestWrite_DisconnectsClientThatStopsReading(t *testing.T) {
	const timeout = 30 * time.Second
	e := newEnv(t)
	synctest.Test(t, func(t *testing.T) {
		h, written := e.sending(large, timeout)
		client := pipe(t, h, 0)
		if _, err := io.WriteString(client, getHours); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, client, int64(len(large)/2)); err != nil {
			t.Fatal(err)
		}
		stopped := time.Now()
		<-written
		if took := time.Since(stopped); took != timeout {
			t.Errorf("disconnected after %v", took)
		}
	})
}

// What is not a GET has its time from the moment when its answer is written: an
// erasure, for example, can take longer than the WriteTimeout of the server.
func TestWrite_AnswersAfterSlowEndpoint(t *testing.T) {
	const timeout = 30 * time.Second
	e := newEnv(t)
	for name, answer := range map[string]func(c *api.Call) error{
		"200": func(c *api.Call) error { return c.Write(http.StatusOK, []byte("{}")) },
		"204": func(c *api.Call) error { return c.WriteNothing() },
		"500": func(*api.Call) error { return errors.New("failed") },
	} {
		list := mounts(newer(t))
		list[1].Endpoints["setHours"] = api.Endpoint{Serve: func(c *api.Call) error {
			time.Sleep(2 * timeout)
			return answer(c)
		}}
		h := e.handler(list)
		synctest.Test(t, func(t *testing.T) {
			client := pipe(t, h, timeout)
			if _, err := io.WriteString(client, "PUT /hours HTTP/1.1\r\nHost: api\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil || !strings.HasPrefix(r.Status, name) {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		})
	}
}
