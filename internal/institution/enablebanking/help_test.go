package enablebanking_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/enablebanking"
)

type random struct{}

func (random) Read(p []byte) (int, error) { return rand.Read(p) }

// transport is that of a browser that trusts the sandbox.
func transport(pool *x509.CertPool, now func() time.Time) http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, Time: now}}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// connectorThat is a connector whose requests are seen.
func (w *world) connectorThat(saw func(*http.Request)) *enablebanking.Gateway {
	w.Helper()
	info := w.GatewayInfo()
	g, err := enablebanking.New(
		enablebanking.Config{BaseURL: info.BaseURL, ApplicationID: info.ApplicationID, KeyFile: "app.pem", CAFile: "ca.pem", Countries: []string{"SE"}},
		institution.Deps{Clock: w.clock, Dir: w.dir, Company: "se-gateway", Wrap: func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				saw(r)
				return next.RoundTrip(r)
			})
		}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(g.Close)
	return g
}
