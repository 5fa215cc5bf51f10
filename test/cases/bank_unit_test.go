package cases

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/pki"
)

// testCerts are the certificates of the tests of the bank.
var testCerts = sync.OnceValues(func() (*pki.Set, error) {
	return pki.Open("", func() time.Time { return startTime }, nil)
})

// testBank starts a bank with these answers. The client has a certificate, the other has
// none.
func testBank(t *testing.T, answers ...answer) (_ *bank, withCert, without *http.Client) {
	t.Helper()
	certs, err := testCerts()
	if err != nil {
		t.Fatal(err)
	}
	b := startBank(t, clock.NewManual(startTime), certs)
	b.use(true, newScript(answers))
	client := func(own ...tls.Certificate) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: certs.CA.Pool(), Certificates: own,
			Time: func() time.Time { return startTime }}}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	return b, client(certs.QWAC), client()
}

// fetch sends a request with an X-Request-ID and returns the response and its body.
func fetch(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-ID", "r-1")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestBank_AnswersAsItsScriptSays(t *testing.T) {
	letter := "Lön"
	b, client, _ := testBank(t,
		answer{Ask: "GET /v1/accounts", Status: 202, Headers: map[string]string{"Location": "https://{host}/x"}, Body: []byte(`"{n} {host} {elsewhere}"`)},
		answer{Ask: "GET /v1/letters", Headers: map[string]string{"content-type": "text/plain"}, Text: &letter, Latin1: true},
		answer{Ask: "GET /v1/nothing", Status: 204})
	for n := range 2 {
		res, body := fetch(t, client, "https://"+b.host+"/psd2/v1/accounts?page=1")
		if want := fmt.Sprintf(`"%d %s %s"`, n, b.host, b.elsewhere); res.StatusCode != 202 || body != want {
			t.Errorf("%d %s, want %s", res.StatusCode, body, want)
		}
		if h := res.Header; h.Get("X-Request-ID") != "r-1" || h.Get("Content-Type") != "application/json" || h.Get("Location") != "https://"+b.host+"/x" {
			t.Errorf("headers %v", h)
		}
	}
	if res, body := fetch(t, client, "https://"+b.host+"/psd2/v1/letters"); body != "L\xf6n" || res.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%q as %s", body, res.Header.Get("Content-Type"))
	}
	if res, body := fetch(t, client, "https://"+b.host+"/psd2/v1/nothing"); res.StatusCode != 204 || body != "" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	for _, path := range []string{"/psd2/v1/else", "/v1/accounts", "/psd2x/v1/accounts"} {
		if res, body := fetch(t, client, "https://"+b.host+path); res.StatusCode != 404 || strings.Contains(body, "RESOURCE_UNKNOWN") != (path == "/psd2/v1/else") {
			t.Errorf("%s: %d %q", path, res.StatusCode, body)
		}
	}
	if len(b.violations) > 0 {
		t.Error(b.violations)
	}
	if n := b.requests("GET /v1/accounts"); n != 2 {
		t.Errorf("%d requests are counted: one outside of the base path must not be", n)
	}
}

func TestBank_UsesTheFirstScriptThatAnswers(t *testing.T) {
	b, client, _ := testBank(t)
	one, two := "one", "two"
	b.use(false, newScript([]answer{{Ask: "GET /a", Text: &one}}), newScript([]answer{{Ask: "GET /a", Text: &two}, {Ask: "GET /b", Text: &two}}))
	for path, want := range map[string]string{"/a": one, "/b": two} {
		if _, body := fetch(t, client, "https://"+b.host+"/psd2"+path); body != want {
			t.Errorf("%s: %s", path, body)
		}
		if b.requests("GET "+path) != 0 {
			t.Error("a request counts during a standard signing")
		}
	}
}

func TestBank_ReportsWhatMustNeverHappen(t *testing.T) {
	b, _, anonymous := testBank(t, answer{Ask: "GET /v1/accounts"})
	report := func(want string) {
		t.Helper()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.violations) != 1 || !strings.Contains(b.violations[0], want) {
			t.Errorf("violations %q, want %q", b.violations, want)
		}
		b.violations = nil
	}
	fetch(t, anonymous, "https://"+b.host+"/psd2/v1/accounts")
	report("without a client certificate")
	fetch(t, http.DefaultClient, "http://"+b.host+"/psd2/v1/accounts")
	report("without TLS")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	// The bank closes the connection when it has reported it.
	if _, err := io.Copy(io.Discard, conn); err != nil && context.Cause(t.Context()) != nil {
		t.Error(err)
	}
	_ = conn.Close()
	report("the other server")
}
