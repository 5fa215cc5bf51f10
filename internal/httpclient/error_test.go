package httpclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/sandbox/pki"
)

// notSent returns what the *Error in err reports.
func notSent(t *testing.T, err error) bool {
	t.Helper()
	var e *httpclient.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *httpclient.Error", err)
	}
	return e.NotSent()
}

func TestError_NotSent(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	slow := partner(t, hang)
	resets := partner(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	large := partner(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10)) })
	tls12 := partner(t, func(http.ResponseWriter, *http.Request) {}, func(s *httptest.Server) { s.TLS.MaxVersion = tls.VersionTLS12 })
	other, err := pki.NewCA("another", func() time.Time { return noon }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url    string
		change func(*httpclient.Config)
		kind   httpclient.Kind
		want   bool
	}{
		"connection refused":         {closedPort(t), nil, httpclient.ConnectionRefused, true},
		"name does not resolve":      {"https://bank.invalid", nil, httpclient.ConnectionFailed, true},
		"certificate not trusted":    {large.URL, func(c *httpclient.Config) { c.Roots = other.Pool() }, httpclient.ServerCertificateUntrusted, true},
		"TLS 1.2 handshake failed":   {tls12.URL, func(c *httpclient.Config) { c.Certificate = nil }, httpclient.CertificateRejected, true},
		"response headers are late":  {slow.URL, func(c *httpclient.Config) { c.Limits.ResponseHeader = 50 * time.Millisecond }, httpclient.Timeout, false},
		"connection reset":           {resets.URL, nil, httpclient.ConnectionFailed, false},
		"response body is too large": {large.URL, func(c *httpclient.Config) { c.Limits.MaxBody = 9 }, httpclient.ResponseTooLarge, false},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			settings := speaking(protocol, config(c.url))
			if c.change != nil {
				c.change(&settings)
			}
			_, err := do(t, client(t, settings), http.MethodGet)
			if got := notSent(t, err); got != c.want || httpclient.KindOf(err) != c.kind {
				t.Errorf("%s, %s: NotSent %t, want %t (%v)", protocol, name, got, c.want, err)
			}
		}
	}
}

// A request that waits for one of the connections has not been sent.
func TestError_NotSentWhileItWaitsForAConnection(t *testing.T) {
	received := make(chan struct{})
	s := partner(t, func(_ http.ResponseWriter, r *http.Request) {
		close(received)
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // a response could still reach the client while it closes the connection
	})
	settings := speaking("HTTP/1.1", config(s.URL))
	settings.Limits.MaxConns = 1
	c := client(t, settings)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() {
		_, err := c.Do(ctx, request(t, c, http.MethodGet))
		first <- err
	}()
	<-received
	waiting, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := c.Do(waiting, request(t, c, http.MethodGet)); !notSent(t, err) {
		t.Errorf("a request that waited: %v, NotSent is false", err)
	}
	cancel()
	if err := <-first; notSent(t, err) {
		t.Errorf("the request that was received: %v, NotSent is true", err)
	}
}

// unable is a signer that fails.
type unable struct{}

func (unable) Sign(context.Context, http.Header, string, string, []byte, time.Time) error {
	return errors.New("no signature of 191212121212")
}

func TestError_NotSentWhenNothingLeavesTheClient(t *testing.T) {
	s := partner(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	settings := config(s.URL)
	settings.BreakerNow = clock.NewManual(noon).Now
	c := client(t, settings)
	if _, err := c.Do(t.Context(), httpclient.Request{Method: http.MethodGet}); !notSent(t, err) {
		t.Errorf("without a target: %v", err)
	}
	if _, err := c.Resolve("https://elsewhere.example/"); !notSent(t, err) {
		t.Errorf("another host: %v", err)
	}
	if _, err := c.NewTarget(nil, "v1", ".."); !notSent(t, err) {
		t.Errorf("a dot segment: %v", err)
	}
	settings.Signer = unable{}
	if _, err := do(t, client(t, settings), http.MethodGet); httpclient.KindOf(err) != httpclient.SigningFailed || !notSent(t, err) {
		t.Errorf("no signature: %v", err)
	}
	for range 20 {
		_, _ = do(t, c, http.MethodGet)
	}
	if _, err := do(t, c, http.MethodGet); httpclient.KindOf(err) != httpclient.CircuitOpen || !notSent(t, err) {
		t.Errorf("the circuit is open: %v", err)
	}
}

// The end of the caller's context is not the partner's failure, so that callers
// must be able to tell it from a timeout of the exchange.
func TestError_IsTheCallersContextErrorOnlyWhenItEnded(t *testing.T) {
	s := partner(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		limits httpclient.Limits
		kind   httpclient.Kind
		cause  error
	}{
		"canceled":               {ended, httpclient.Limits{}, httpclient.Canceled, context.Canceled},
		"caller's deadline":      {late, httpclient.Limits{}, httpclient.Canceled, context.DeadlineExceeded},
		"limit of the exchange":  {t.Context(), httpclient.Limits{Total: 20 * time.Millisecond}, httpclient.Timeout, os.ErrDeadlineExceeded},
		"limit of the header":    {t.Context(), httpclient.Limits{ResponseHeader: 20 * time.Millisecond}, httpclient.Timeout, os.ErrDeadlineExceeded},
		"limit of the handshake": {t.Context(), httpclient.Limits{Connect: time.Nanosecond}, httpclient.Timeout, os.ErrDeadlineExceeded},
	} {
		settings := config(s.URL)
		settings.Limits = c.limits
		made := client(t, settings)
		_, err := made.Do(c.ctx, request(t, made, http.MethodGet))
		if httpclient.KindOf(err) != c.kind || !errors.Is(err, c.cause) {
			t.Errorf("%s: got %v (%v), want %s", name, err, errors.Unwrap(err), c.kind)
		}
		isContext := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
		if isContext != (c.ctx.Err() != nil) {
			t.Errorf("%s: the error is a context's: %t", name, isContext)
		}
	}
}
