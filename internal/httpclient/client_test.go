package httpclient_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/httpclient"
	"samla/internal/sandbox/pki"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var certificates = sync.OnceValue(func() *pki.Set {
	set, err := pki.Open("", func() time.Time { return noon }, nil)
	if err != nil {
		panic(err)
	}
	return set
})

// partner starts a server that requires our certificate.
func partner(t testing.TB, h http.HandlerFunc, change ...func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{certificates().Server}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: certificates().CA.Pool(), Time: func() time.Time { return noon },
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	for _, f := range change {
		f(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func config(url string) httpclient.Config {
	return httpclient.Config{
		BaseURL: url, Certificate: &certificates().QWAC, Roots: certificates().CA.Pool(), Now: func() time.Time { return noon },
	}
}

func client(t testing.TB, c httpclient.Config) *httpclient.Client {
	t.Helper()
	made, err := httpclient.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

func request(t testing.TB, c *httpclient.Client, method string) httpclient.Request {
	t.Helper()
	target, err := c.NewTarget(nil, "v1", "consents", "secret-id")
	if err != nil {
		t.Fatal(err)
	}
	return httpclient.Request{Method: method, Target: target, Header: http.Header{"Psu-Id": {"191212121212"}}}
}

// do sends one request and checks that an error shows nothing of it.
func do(t testing.TB, c *httpclient.Client, method string) (*httpclient.Response, error) {
	t.Helper()
	resp, err := c.Do(t.Context(), request(t, c, method))
	if err != nil {
		for _, secret := range []string{"secret-id", "191212121212", "127.0.0.1", "https"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows %q", secret)
			}
		}
	}
	return resp, err
}

func TestDo_SendsTheRequestAndReadsTheResponse(t *testing.T) {
	s := partner(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(r.TLS.PeerCertificates) == 0 || !r.TLS.PeerCertificates[0].Equal(certificates().QWAC.Leaf) {
			t.Error("the request came without our certificate")
		}
		w.Header().Set("X-Said", r.Method+" "+r.URL.Path+" "+r.Proto)
		w.WriteHeader(418)
		_, _ = w.Write(body)
	})
	c := client(t, config(s.URL+"/psd2"))
	r := request(t, c, http.MethodPost)
	r.Body = []byte("hello")
	resp, err := c.Do(t.Context(), r)
	if err != nil || resp.Status != 418 || string(resp.Body) != "hello" || resp.Header.Get("X-Said") != "POST /psd2/v1/consents/secret-id HTTP/2.0" {
		t.Errorf("got %+v, %v", resp, err)
	}
}

func TestDo_DoesNotFollowRedirects(t *testing.T) {
	var other atomic.Int64
	s := partner(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			other.Add(1)
		}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	resp, err := do(t, client(t, config(s.URL)), http.MethodGet)
	if err != nil || resp.Status != http.StatusFound || other.Load() != 0 {
		t.Errorf("got %+v, %v, %d calls elsewhere", resp, err, other.Load())
	}
}

func TestDo_LimitsTheResponseBody(t *testing.T) {
	big := bytes.Repeat([]byte("a"), 100_000)
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	_, _ = z.Write(big)
	_ = z.Close()
	for name, c := range map[string]struct {
		limit int64
		write func(http.ResponseWriter)
		want  httpclient.Kind
	}{
		"declared": {99_999, func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100000"); _, _ = w.Write(big) }, httpclient.ResponseTooLarge},
		"chunked": {99_999, func(w http.ResponseWriter) {
			w.(http.Flusher).Flush()
			_, _ = w.Write(big)
		}, httpclient.ResponseTooLarge},
		"decompressed": {99_999, func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed.Bytes())
		}, httpclient.ResponseTooLarge},
		"at the limit": {100_000, func(w http.ResponseWriter) { _, _ = w.Write(big) }, ""},
		"compressed": {100_000, func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(compressed.Bytes())
		}, ""},
		"cut short": {100_000, func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100000"); _, _ = w.Write(big[:5]) }, httpclient.ConnectionFailed},
	} {
		s := partner(t, func(w http.ResponseWriter, _ *http.Request) { c.write(w) })
		settings := config(s.URL)
		settings.Limits.MaxBody = c.limit
		resp, err := do(t, client(t, settings), http.MethodPost)
		if c.want == "" && (err != nil || !bytes.Equal(resp.Body, big)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && (err == nil || httpclient.KindOf(err) != c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestDo_SaysWhyThereIsNoResponse(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	slow := partner(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	drips := partner(t, func(w http.ResponseWriter, r *http.Request) {
		for tick := time.NewTicker(5 * time.Millisecond); ; w.(http.Flusher).Flush() {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
			_, _ = io.WriteString(w, " ")
		}
	}, func(s *httptest.Server) { s.EnableHTTP2 = false })
	for name, c := range map[string]struct {
		url    string
		change func(*httpclient.Config)
		want   httpclient.Kind
	}{
		"response body drips":     {drips.URL, func(c *httpclient.Config) { c.Limits.Total = 50 * time.Millisecond }, httpclient.Timeout},
		"connection refused":      {closedPort(t), nil, httpclient.ConnectionRefused},
		"response header is late": {slow.URL, func(c *httpclient.Config) { c.Limits.ResponseHeader = 50 * time.Millisecond }, httpclient.Timeout},
		"response is late":        {slow.URL, func(c *httpclient.Config) { c.Limits.Total = 50 * time.Millisecond }, httpclient.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			settings := config(c.url)
			if c.change != nil {
				c.change(&settings)
			}
			_, err := do(t, client(t, settings), http.MethodPost)
			if httpclient.KindOf(err) != c.want || err == nil {
				t.Errorf("got %v (%v), want %s", err, errors.Unwrap(err), c.want)
			}
		})
	}
	t.Run("limit of the request", func(t *testing.T) {
		settings := config(slow.URL)
		settings.Limits.Total = time.Minute
		c := client(t, settings)
		r := request(t, c, http.MethodGet)
		r.Total = 50 * time.Millisecond
		if _, err := c.Do(t.Context(), r); httpclient.KindOf(err) != httpclient.Timeout || err == nil {
			t.Errorf("got %v", err)
		}
		settings.Limits.Total = 50 * time.Millisecond
		c = client(t, settings)
		r = request(t, c, http.MethodGet)
		r.Total = time.Minute
		if _, err := c.Do(t.Context(), r); httpclient.KindOf(err) != httpclient.Timeout || err == nil {
			t.Errorf("more than the limit of the client: got %v", err)
		}
	})
	t.Run("caller's context canceled", func(t *testing.T) {
		c := client(t, config(slow.URL))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		_, err := c.Do(ctx, request(t, c, http.MethodGet))
		if httpclient.KindOf(err) != httpclient.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDo_RefusesTLS11(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificates().Server}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	if _, err := do(t, client(t, config(s.URL)), http.MethodPost); httpclient.KindOf(err) != httpclient.ConnectionFailed || err == nil {
		t.Errorf("got %v", err)
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "https://" + l.Addr().String()
}

func TestClient_KeepsConnectionsUpToTheLimit(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		var opened atomic.Int64
		s := partner(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Proto != protocol {
				t.Errorf("got %s, want %s", r.Proto, protocol)
			}
			_, _ = io.WriteString(w, "{}")
		}, func(s *httptest.Server) {
			s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
		})
		settings := config(s.URL)
		settings.Limits.MaxConns = 4
		settings.WrapTransport = func(rt http.RoundTripper) http.RoundTripper {
			rt.(*http.Transport).Protocols.SetHTTP2(protocol == "HTTP/2.0")
			return rt
		}
		c := client(t, settings)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 20 {
					if _, err := do(t, c, http.MethodPost); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n := opened.Load(); n > 4 {
			t.Errorf("%s: %d connections", protocol, n)
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 600)
	for _, v := range []struct {
		name  string
		http2 bool
	}{{"HTTP1", false}, {"HTTP2", true}} {
		b.Run(v.name, func(b *testing.B) {
			s := partner(b, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
			settings := config(s.URL)
			settings.WrapTransport = func(rt http.RoundTripper) http.RoundTripper {
				rt.(*http.Transport).Protocols.SetHTTP2(v.http2)
				return rt
			}
			c := client(b, settings)
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := request(b, c, http.MethodGet)
					if resp, err := c.Do(context.Background(), r); err != nil || len(resp.Body) != len(body) {
						b.Error(fmt.Errorf("exchange: %w", err))
					}
				}
			})
		})
	}
}

// The memory of a large response is taken before it is read, and a response for which
// there is none is not read.
func TestDo_TakesMemoryForLargeResponses(t *testing.T) {
	body := bytes.Repeat([]byte("a"), 1<<20)
	for name, declared := range map[string]bool{"declared": true, "chunked": false} {
		s := partner(t, func(w http.ResponseWriter, _ *http.Request) {
			if declared {
				w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			}
			_, _ = w.Write(body)
		})
		settings := config(s.URL)
		settings.Limits.Total = 2 * time.Second
		c := client(t, settings)
		taken := httpclient.FreeBody
		r := request(t, c, http.MethodGet)
		r.Room = func(_ context.Context, n int) error {
			taken += n
			return nil
		}
		resp, err := c.Do(t.Context(), r)
		if err != nil || !bytes.Equal(resp.Body, body) || cap(resp.Body) > taken || taken > 2*len(body)+2 {
			t.Errorf("%s: %v; %d bytes taken", name, err, taken)
		}
		r = request(t, c, http.MethodGet)
		r.Room = func(context.Context, int) error { return errors.New("none") }
		if _, err := c.Do(t.Context(), r); httpclient.KindOf(err) != httpclient.NoRoom || err == nil {
			t.Errorf("%s, without memory: %v", name, err)
		}
		r = request(t, c, http.MethodGet)
		r.MaxBody = 1 << 10
		if _, err := c.Do(t.Context(), r); httpclient.KindOf(err) != httpclient.ResponseTooLarge || err == nil {
			t.Errorf("%s, beyond the limit of the request: %v", name, err)
		}
	}
}
