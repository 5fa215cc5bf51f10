package httpclient_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/httpclient"
)

// failures are the ways in which a partner can fail after it has received a
// request.
var failures = map[string]func(http.ResponseWriter, *http.Request){
	"502": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	"503 with Retry-After": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	},
	"504":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) },
	"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"reset in the body": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"connection closed": func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil { // HTTP/2 has no Hijack: there the stream is reset
			panic(http.ErrAbortHandler)
		}
		_ = conn.Close()
	},
	"no response": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"no end of the body": func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	},
}

// speaking makes the client of settings speak one protocol.
func speaking(protocol string, settings httpclient.Config) httpclient.Config {
	settings.WrapTransport = func(rt http.RoundTripper) http.RoundTripper {
		rt.(*http.Transport).Protocols.SetHTTP2(protocol == "HTTP/2.0")
		return rt
	}
	return settings
}

// A bank counts the reads that it has received (RTS art. 36(5)(b)), so that one
// Do must never become two requests: not by the client, and not by net/http,
// which repeats a GET when a connection that was kept is closed.
func TestDo_PartnerReceivesOneRequest(t *testing.T) {
	received := make(chan struct{}, 100)
	s := partner(t, func(w http.ResponseWriter, r *http.Request) {
		if fail := failures[r.Header.Get("X-Fail")]; fail != nil {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
			received <- struct{}{}
			fail(w, r)
		}
	})
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for name := range failures {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
				for _, kept := range []bool{false, true} {
					c := client(t, speaking(protocol, config(s.URL)))
					if kept {
						if _, err := do(t, c, http.MethodGet); err != nil {
							t.Fatal(err)
						}
					}
					r := request(t, c, method)
					r.Header.Set("X-Fail", name)
					if method == http.MethodPost || method == http.MethodPut {
						r.Body = []byte("{}")
					}
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan struct{})
					go func() {
						defer close(done)
						_, _ = c.Do(ctx, r)
					}()
					<-received
					if strings.HasPrefix(name, "no ") {
						cancel() // as a timeout would
					}
					<-done
					cancel()
					c.Close()
					if n := 1 + taken(received); n != 1 {
						t.Errorf("%s, %s, %s, kept connection %t: %d requests", protocol, method, name, kept, n)
					}
				}
			}
		}
	}
}

// taken empties the channel and returns how many values there were.
func taken(c <-chan struct{}) (n int) {
	for ; len(c) > 0; n++ {
		<-c
	}
	return n
}

func TestDo_PartnerReceivesOneRequestBeforeATimeout(t *testing.T) {
	received := make(chan struct{}, 100)
	s := partner(t, func(_ http.ResponseWriter, r *http.Request) {
		received <- struct{}{}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		settings := speaking(protocol, config(s.URL))
		settings.Limits.ResponseHeader = 20 * time.Millisecond // runs from the end of the request
		if _, err := do(t, client(t, settings), http.MethodGet); httpclient.KindOf(err) != httpclient.Timeout || err == nil {
			t.Errorf("%s: got %v", protocol, err)
		}
		<-received
		if n := 1 + taken(received); n != 1 {
			t.Errorf("%s: %d requests", protocol, n)
		}
	}
}
