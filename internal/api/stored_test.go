package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"samla/internal/api"
	"samla/internal/clock/clocktest"
	"samla/internal/gzipped"
)

// stored is an answer; large answers are not held as text.
type stored struct {
	text  []byte
	large bool
}

func (s stored) Tag() string { return "1.a" }

func (s stored) Packed(context.Context) ([]byte, error) { return gzipped.Compress(s.text), nil }

func (s stored) Plain(context.Context) ([]byte, error) {
	if s.large {
		return nil, nil
	}
	return s.text, nil
}

func TestWriteStored_SendsWhatTheClientAccepts(t *testing.T) {
	e := newEnv(t)
	text := append(append([]byte(`["`), bytes.Repeat([]byte("x"), 200_000)...), `"]`...)
	for _, large := range []bool{false, true} {
		v := newer(t)
		v.Endpoints["getLoan"] = api.Endpoint{Serve: func(c *api.Call) error { return c.WriteStored(stored{text, large}) }}
		h := e.handler(mounts(v))
		for accept, packed := range map[string]bool{"": false, "gzip": true, "GZIP, br": true, "br, gzip;q=0.5": true, "gzip;q=0": false,
			"gzip; q=0.0, *": false, "*": true, "*;q=0": false, "identity": false, "br": false, "gzip;q=x": false} {
			got := e.page(h, "GET", "/loans/7", "", map[string]string{"Authorization-Token": e.key, "Accept-Encoding": accept})
			body, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode != 200 || len(body) > 2000 && got.Header.Get("Content-Length") != strconv.Itoa(len(body)) ||
				got.Header.Get("Vary") != "Accept-Encoding" || got.Header.Get("Etag") != `W/"1.a"` || (got.Header.Get("Content-Encoding") == "gzip") != packed {
				t.Fatalf("%q, large %t: %d %v, %v", accept, large, got.StatusCode, got.Header, err)
			}
			if packed {
				r, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(r); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(body, text) {
				t.Errorf("%q, large %t: another text of %d bytes", accept, large, len(body))
			}
		}
	}
}

func TestWriteStored_SendsNothingThatTheClientHas(t *testing.T) {
	e := newEnv(t)
	v := newer(t)
	v.Endpoints["getLoan"] = api.Endpoint{Serve: func(c *api.Call) error { return c.WriteStored(stored{text: []byte(`{}`)}) }}
	h := e.handler(mounts(v))
	for tags, status := range map[string]int{`W/"1.a"`: 304, `"1.a"`: 304, `"x", W/"1.a"`: 304, "*": 304, `"x"`: 200, `1.a`: 200, "": 200} {
		got := e.page(h, "GET", "/loans/7", "", map[string]string{"Authorization-Token": e.key, "If-None-Match": tags})
		body, _ := io.ReadAll(got.Body)
		if got.StatusCode != status || (status == http.StatusNotModified) != (len(body) == 0) || got.Header.Get("Etag") != `W/"1.a"` {
			t.Errorf("%s: %d %v %s", tags, got.StatusCode, got.Header, body)
		}
	}
}

// shared is an answer whose packed text all readers share, as those in memory do.
type shared struct {
	stored
	packed []byte
	began  chan struct{}
}

func (s shared) Packed(context.Context) ([]byte, error) {
	s.began <- struct{}{}
	return s.packed, nil
}

// A reader that reads nothing holds a piece of the answer, not all of it.
func TestWriteStored_HoldsLittleForSlowReaders(t *testing.T) {
	const readers, size = 150, 20_000_000 // more than the buffers of a connection take
	e := newEnv(t)
	answer := shared{stored{large: true}, gzipped.Compress(bytes.Repeat([]byte(`{"amount":1},`), size/13)), make(chan struct{})}
	v := newer(t)
	v.Endpoints["getLoan"] = api.Endpoint{Serve: func(c *api.Call) error { return c.WriteStored(answer) }}
	server := httptest.NewServer(e.handler(mounts(v)))
	defer server.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range readers {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /loans/7 HTTP/1.1\r\nHost: x\r\nAuthorization-Token: %s\r\n\r\n", e.key)
		<-answer.began
	}
	stacks := make([]byte, 8<<20)
	clocktest.Poll(t, "all answers are being written", func() bool {
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), ".writeDecompressed(") >= readers
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	// A reader holds 64 KiB of text and as much for decompressing it.
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > readers*300<<10 {
		t.Errorf("%d readers hold %d MiB", readers, held>>20)
	} else {
		t.Logf("%d readers of %d bytes hold %.1f MiB", readers, size, float64(held)/(1<<20))
	}
}
