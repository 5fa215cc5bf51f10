// Package clients runs clients as docs/reference/api.md 9 describes those that exist: each
// does what it does with the reference API, with other base URLs only. They share no code
// with the server or with each other, and know no more of the API than is written there.
package clients

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/sandbox/bankid"
	"samla/test/harness"
)

// startTime is the first time of the clock that server, sandbox and clients share.
var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

var suite = &harness.Suite{Parallel: 4, Now: func() time.Time { return startTime }}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// The companies that the clients collect from.
const (
	demo     = "se-demo"
	demoBank = "se-demo-psd2"
	lender   = "se-sandbox-lender" // with BankID
)

// patience is how long, in real time, a client may take. It is long enough for a busy
// machine.
const patience = 6 * time.Minute

// origin is that of the web page.
const origin = "https://app.example.com"

type object = map[string]any

// env is a running server with its sandbox.
type env struct {
	*harness.Env
	clock *clock.Fast
	ctx   context.Context
}

func newEnv(t *testing.T) *env { return newEnvAt(t, 8) }

// newEnvAt returns an env whose clock is so many times as fast as the machine's.
func newEnvAt(t *testing.T, speed int) *env {
	t.Helper()
	t.Parallel()
	w := &env{clock: clock.NewFast(startTime, speed)}
	w.Env = suite.Start(t, devserver.Config{Clock: w.clock, AllowOrigins: []string{origin}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w.ctx = ctx
	return w
}

// wait waits by the common clock. It returns false if the client has taken too long.
func (w *env) wait(d time.Duration) bool {
	timer := w.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return true
	case <-w.ctx.Done():
		return false
	}
}

// secret registers a person's number in both forms: no line of the log may have it.
func (w *env) secret(number string) string {
	w.Log.Secret("a personal number", number)
	if len(number) == 12 {
		w.Log.Secret("a personal number", number[2:])
	}
	return number
}

// sign makes the person sign in BankID what a code or a token names. It reports whether the
// app accepted it: a code that is too old is not accepted.
func (w *env) sign(qrData, token string) bool {
	_, err := w.Sandbox.BankID().Act(bankid.PhoneAction{Action: bankid.Approve, QRData: qrData, AutoStartToken: token})
	return err == nil
}

// device returns the HTTP client of the person's device. It trusts the sandbox.
func (w *env) device(t *testing.T) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(w.Sandbox.CAPEM()) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Time: w.clock.Now, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
