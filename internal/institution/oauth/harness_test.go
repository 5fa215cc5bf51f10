package oauth_test

import (
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

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var certificates = sync.OnceValue(func() *pki.Set {
	set, err := pki.Open("", func() time.Time { return noon }, nil)
	if err != nil {
		panic(err)
	}
	return set
})

// server is an authorization server behind mutual TLS, and our hosts of it.
type server struct {
	*httptest.Server
	hosts oauth.Hosts
	clock *clock.Manual
}

func start(t testing.TB, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{Server: httptest.NewUnstartedServer(h), clock: clock.NewManual(noon)}
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{certificates().Server}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: certificates().CA.Pool(), Time: func() time.Time { return noon },
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	client, err := httpclient.New(httpclient.Config{
		BaseURL: s.URL, Certificate: &certificates().QWAC, Roots: certificates().CA.Pool(), Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s.hosts = oauth.Hosts{client}
	return s
}

func (s *server) endpoint(t testing.TB, path string) oauth.Endpoint {
	t.Helper()
	e, err := s.hosts.Endpoint(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// client returns a client of the token endpoint at path /token.
func (s *server) client(t testing.TB, change func(*oauth.Config)) *oauth.Client {
	t.Helper()
	c := oauth.Config{ID: "PSDSE-FINA-44059", Auth: oauth.TLSAuth{}, Endpoint: s.endpoint(t, "/token"), Clock: s.clock}
	if change != nil {
		change(&c)
	}
	client, err := oauth.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
