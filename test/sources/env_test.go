// Package sources walks the table of persons in docs/sandbox.md over a real server: each
// person logs in at an institution of the sandbox, does what the table says, and the
// collection gets the statuses of the table.
package sources

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/sandbox/source"
	"samla/test/harness"
)

// startTime is the initial time of every env's clock.
var startTime = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

var suite = &harness.Suite{Parallel: 12, Now: func() time.Time { return startTime }, CheckRequests: true}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// env is a running server and sandbox.
type env struct {
	*harness.Env
	clock  *clock.Fast
	phone  *apiclient.Phone
	person http.Client // of the persons' browsers and apps
	locks  sync.Map    // by personal number, of persons who have BankID
}

func newEnv(t *testing.T, database string) *env {
	t.Helper()
	w := &env{clock: clock.NewFast(startTime, 1)}
	w.Env = suite.Start(t, devserver.Config{Database: database, Clock: w.clock, WrapConnectors: func(next http.RoundTripper) http.RoundTripper {
		return validators{newValidator(t, source.BasePath+"/"+source.BearerSecret, next), newValidator(t, source.BasePath+"/"+source.ClientCertificate, next), next}
	}})
	w.phone = apiclient.NewPhone(w.Sandbox.URL(), w.Sandbox.CAPEM())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(w.Sandbox.CAPEM())
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, Time: w.clock.Now}
	w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig.Time = w.clock.Now
	w.person.Transport = &http.Transport{TLSClientConfig: config}
	t.Cleanup(w.person.CloseIdleConnections)
	return w
}

// validators validates the exchanges with the sandbox's sources with openapi.json, by their
// credential. Those with banks are not of sources.
type validators struct {
	bearer, mutual *validator
	others         http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (d validators) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, d.mutual.base+"/") {
		return d.mutual.RoundTrip(r)
	}
	if !strings.HasPrefix(r.URL.Path, source.BasePath+"/") {
		return d.others.RoundTrip(r)
	}
	return d.bearer.RoundTrip(r)
}

// ask makes a request as a person's device does, and returns the response.
func (w *env) ask(t *testing.T, method, url, body string, change func(*http.Request)) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := w.person.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, text
}

// openInbox opens what the inbox has for a person at an institution.
func (w *env) openInbox(t *testing.T, company, who string) {
	t.Helper()
	_, _, text := w.ask(t, "GET", w.Sandbox.URL()+"/sandbox/inbox", "", nil)
	var got struct {
		Items []struct{ Institution, To, Link string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, i := range got.Items {
		if i.Institution == company && i.To == who {
			if status, _, _ := w.ask(t, "POST", i.Link, "", nil); status != http.StatusOK {
				t.Errorf("the link answers %d", status)
			}
			return
		}
	}
	t.Error("the inbox has nothing for the person")
}
