package xs2a_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/bgspec"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/psu"
	"samla/internal/sandbox/pki"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// atNoon has a clock that stands still.
var atNoon = institution.Deps{Clock: clock.NewManual(noon)}

var testKeys = sync.OnceValues(func() (*pki.Set, error) {
	return pki.Open("", func() time.Time { return noon }, nil)
})

// recordedRequest is one request that the scripted bank received.
type recordedRequest struct {
	method, path, query string
	header              http.Header
	body                string
}

// scriptedBank is a bank over real mutual TLS whose responses a test writes.
type scriptedBank struct {
	*xs2a.Bank
	clock  *clock.Manual
	server *httptest.Server
	mu     sync.Mutex
	log    []recordedRequest
	answer http.HandlerFunc
}

// requests returns the requests received so far.
func (s *scriptedBank) requests() []recordedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recordedRequest(nil), s.log...)
}

func (s *scriptedBank) last(t *testing.T) recordedRequest {
	t.Helper()
	all := s.requests()
	if len(all) == 0 {
		t.Fatal("the bank received no request")
	}
	return all[len(all)-1]
}

// newScriptedBank starts a bank below the path /psd2. It validates each request
// against the Berlin Group's definition, and answers with the handler of the test.
func newScriptedBank(t *testing.T, change func(*xs2a.Config), answer http.HandlerFunc, more ...func(*xs2a.Deps)) *scriptedBank {
	t.Helper()
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := &scriptedBank{clock: clock.NewManual(noon), answer: answer}
	oracle := bgspec.New(t, "https://bank/psd2")
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		// The standard has no pictures, and no authorization server.
		outside := strings.HasSuffix(r.URL.Path, ".png") || strings.HasPrefix(r.URL.Path, "/login/")
		standard := r.Clone(r.Context())
		standard.URL.Path = strings.Replace(r.URL.Path, "/v4/", "/v1/", 1) // a version of the bank's own
		if err := oracle.CheckRequest(standard, body); err != nil && !outside {
			t.Errorf("the request breaks the standard: %v", err)
		}
		s.mu.Lock()
		s.log = append(s.log, recordedRequest{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, string(body)})
		s.mu.Unlock()
		w.Header().Set("X-Request-ID", r.Header.Get("X-Request-ID"))
		w.Header().Set("Content-Type", "application/json")
		s.answer(w, r)
	}))
	s.server.TLS = &tls.Config{
		Certificates: []tls.Certificate{set.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: set.CA.Pool(),
	}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	config := demoConfig(s.server.URL + "/psd2")
	if change != nil {
		change(&config)
	}
	deps := xs2a.Deps{Deps: institution.Deps{Clock: s.clock}, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL, Roots: set.CA.Pool()}}
	for _, f := range more {
		f(&deps)
	}
	s.Bank, err = xs2a.New(config, deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func demoConfig(url string) xs2a.Config {
	return xs2a.Config{BaseURL: url}
}

func responds(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// person is a test person of Skatteverket (docs/reference/banks.md 14.1).
var person = psu.Context{PersonalNumber: "191212121212", IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}

const requestID = "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4"

func sealLeaf(t *testing.T, h http.Header) *x509.Certificate {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(h.Get("TPP-Signature-Certificate"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func jsonEqual(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	gb, _ := json.Marshal(g)
	wb, _ := json.Marshal(w)
	if string(gb) != string(wb) {
		t.Errorf("got  %s\nwant %s", gb, wb)
	}
}

// since is the first booking date of the questions in tests.
const since = "2026-08-25"

// start returns the first questions under a consent with full scope.
func start(b *xs2a.Bank) []institution.Question {
	return b.Start(consent.Scope{Balances: true, Transactions: true}, since)
}

// first returns the question for the list of accounts.
func first(b *xs2a.Bank) institution.Question { return start(b)[0] }

// newReader returns a connector that a test uses only for Start and Read.
func newReader(t testing.TB) *xs2a.Bank {
	t.Helper()
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	b, err := xs2a.New(demoConfig("https://bank.example/psd2"), xs2a.Deps{
		Deps: atNoon, Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// located is responds with a Location.
func located(location string, status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", location)
		responds(status, body)(w, r)
	}
}
