package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
)

// Test numbers published by Skatteverket.
const (
	anna = "199006022397"
	bo   = "194408139089"
)

// server serves the RP API and the phone of one service over TLS.
type server struct {
	service       *bankid.Service
	clock         *clock.Manual
	url           string
	rp            *http.Client // has a relying party's certificate
	noCertificate *http.Client // has no certificate
}

// start starts a server. Its clients do not follow redirects.
func start(t *testing.T) *server {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	h := &server{service: bankid.New(c, rand.Reader), clock: c}
	mux := http.NewServeMux()
	(&httpapi.RP{Service: h.service, Verify: isRelyingParty}).Mount(mux)
	(&httpapi.Phone{Service: h.service}).Mount(mux)
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	h.url, h.noCertificate = server.URL, server.Client()
	h.noCertificate.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.rp = withCertificate(t, h.noCertificate, "relying party")
	return h
}

func isRelyingParty(chain []*x509.Certificate) error {
	if chain[0].Subject.CommonName != "relying party" {
		return errors.New("not a relying party")
	}
	return nil
}

// withCertificate returns a client like c with a certificate of this common name.
func withCertificate(t *testing.T, c *http.Client, name string) *http.Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	transport := c.Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// response is a response with its body as text and, if it is JSON, as members.
type response struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (h *server) send(t *testing.T, c *http.Client, method, path, contentType, body string) response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := response{status: answer.StatusCode, header: answer.Header, text: string(text)}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &got.json); err != nil {
			t.Fatalf("body is not JSON: %v", err)
		}
	}
	return got
}

// call calls the RP API as the relying party.
func (h *server) call(t *testing.T, name, body string) response {
	t.Helper()
	return h.send(t, h.rp, http.MethodPost, httpapi.RPPrefix+name, "application/json", body)
}

// phone sends a JSON action to the phone.
func (h *server) phone(t *testing.T, body string) response {
	t.Helper()
	return h.send(t, h.noCertificate, http.MethodPost, httpapi.PhonePath, "application/json", body)
}

// wantError fails unless the response is this error with details.
func (r response) wantError(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status || r.json["errorCode"] != code || r.json["details"] == "" || len(r.json) != 2 {
		t.Errorf("got %d %s, want %d %s", r.status, r.text, status, code)
	}
}

// member returns a string member of a response with status 200.
func (r response) member(t *testing.T, name string) string {
	t.Helper()
	s, ok := r.json[name].(string)
	if r.status != http.StatusOK || !ok {
		t.Fatalf("got %d %s, want %s", r.status, r.text, name)
	}
	return s
}
