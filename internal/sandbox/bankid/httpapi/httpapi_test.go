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

// Test persons of Skatteverket's open data.
const (
	anna = "199006022397"
	bo   = "194408139089"
)

// house is both faces of one service behind real TLS.
type house struct {
	service *bankid.Service
	clock   *clock.Manual
	url     string
	rp      *http.Client // with a relying party's certificate
	bare    *http.Client // with none
}

// open starts a house. Its redirects are not followed.
func open(t *testing.T) *house {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	h := &house{service: bankid.New(c, rand.Reader), clock: c}
	mux := http.NewServeMux()
	(&httpapi.RP{Service: h.service, Verify: isRelyingParty}).Mount(mux)
	(&httpapi.Phone{Service: h.service}).Mount(mux)
	server := httptest.NewUnstartedServer(mux)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	h.url, h.bare = server.URL, server.Client()
	h.bare.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.rp = withCertificate(t, h.bare, "relying party")
	return h
}

func isRelyingParty(chain []*x509.Certificate) error {
	if chain[0].Subject.CommonName != "relying party" {
		return errors.New("not a relying party")
	}
	return nil
}

// withCertificate is a client like c that shows a certificate of this name.
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

// reply is an answer, its body as text and, if it is JSON, as members.
type reply struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (h *house) send(t *testing.T, c *http.Client, method, path, contentType, body string) reply {
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
	got := reply{status: answer.StatusCode, header: answer.Header, text: string(text)}
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &got.json); err != nil {
			t.Fatalf("body is no JSON: %v", err)
		}
	}
	return got
}

// call is one call of the relying party.
func (h *house) call(t *testing.T, name, body string) reply {
	t.Helper()
	return h.send(t, h.rp, http.MethodPost, httpapi.RPPrefix+name, "application/json", body)
}

// phone is one JSON act of the phone.
func (h *house) phone(t *testing.T, body string) reply {
	t.Helper()
	return h.send(t, h.bare, http.MethodPost, httpapi.PhonePath, "application/json", body)
}

// wantError fails unless the reply is this refusal with a sentence.
func (r reply) wantError(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status || r.json["errorCode"] != code || r.json["details"] == "" || len(r.json) != 2 {
		t.Errorf("got %d %s, want %d %s", r.status, r.text, status, code)
	}
}

// member is a text member of a 200 answer.
func (r reply) member(t *testing.T, name string) string {
	t.Helper()
	s, ok := r.json[name].(string)
	if r.status != http.StatusOK || !ok {
		t.Fatalf("got %d %s, want %s", r.status, r.text, name)
	}
	return s
}
