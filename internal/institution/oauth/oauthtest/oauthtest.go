// Package oauthtest starts servers behind mutual TLS for the tests of package oauth and of
// its packages, and makes keys for them.
package oauthtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution/oauth"
	"samla/internal/sandbox/pki"
)

// Noon is the time of the tests.
var Noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Certificates returns those of the tests: of the authority, of servers, and ours.
var Certificates = sync.OnceValue(func() *pki.Set {
	set, err := pki.Open("", func() time.Time { return Noon }, nil)
	if err != nil {
		panic(err)
	}
	return set
})

// Server is a server that requires our certificate, and our hosts of it.
type Server struct {
	*httptest.Server
	Hosts oauth.Hosts
	Clock *clock.Manual // at Noon
}

// Start starts a server that ends with the test.
func Start(t testing.TB, h http.HandlerFunc) *Server {
	t.Helper()
	s := &Server{Server: httptest.NewUnstartedServer(h), Clock: clock.NewManual(Noon)}
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{Certificates().Server}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: Certificates().CA.Pool(), Time: func() time.Time { return Noon },
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	client, err := httpclient.New(httpclient.Config{
		BaseURL: s.URL, Certificate: &Certificates().QWAC, Roots: Certificates().CA.Pool(), Now: func() time.Time { return Noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.Hosts = oauth.Hosts{client}
	return s
}

// Endpoint returns the endpoint at a path of the server.
func (s *Server) Endpoint(t testing.TB, path string) oauth.Endpoint {
	t.Helper()
	e, err := s.Hosts.Endpoint(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Key returns a new key for an algorithm: PS256, RS256 or ES256.
func Key(t testing.TB, algorithm string) crypto.Signer {
	t.Helper()
	if algorithm == "ES256" {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
