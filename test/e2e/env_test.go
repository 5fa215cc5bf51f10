// Package e2e has the end-to-end tests: a complete Samla with its sandbox is called over
// HTTP, as by a client's backend, a front end and a person's phone. Every exchange with a
// bank is validated with the definition of its family on both sides, every exchange with
// the API with the contract, and the log is checked for secrets.
package e2e

import (
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/bgspec"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/ebspec"
	"samla/internal/nordeaspec"
	"samla/internal/obiespec"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/persona"
	"samla/test/harness"
)

// startTime is the initial time of every env's clock.
var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// The sandbox's banks.
const (
	demoBank      = "se-demo-psd2"
	autostartBank = "se-sandbox-autostart"
	staticBank    = "se-sandbox-static"
	shortBank     = "se-sandbox-short"
	nordeaBank    = "se-demo-nordea"
	nordeaOnPage  = "se-demo-nordea-redirect" // the same bank, by redirect
)

// suite validates requests too, because these tests send no malformed requests.
var suite = &harness.Suite{Parallel: 8, Now: func() time.Time { return startTime }, CheckRequests: true}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// env is a running server and sandbox with a fast clock.
type env struct {
	*harness.Env
	database    string
	clock       *clock.Fast
	interceptor *interceptor
	validators  []validator // one for each bank of the sandbox, and one for its gateway
	phone       *apiclient.Phone
	backend     client // has the API key of the first client
	personLocks sync.Map
	leaks       *leaks
}

// clockSpeed is the usual factor of the clock.
const clockSpeed = 8

func newEnv(t *testing.T, database string, factor int) *env {
	t.Helper()
	w := &env{database: database, clock: clock.NewFast(startTime, factor), interceptor: &interceptor{}, validators: newValidators(t), leaks: newLeaks(t)}
	t.Cleanup(func() { w.interceptor.reportViolations(t) }) // runs after the server has stopped
	w.Env = suite.Start(t, devserver.Config{Database: database, Clock: w.clock, WrapSandbox: w.validateBanks, WrapConnectors: w.validateConnectors,
		WrapAccess: w.leaks.wrapAccess, OTLPEndpoint: w.leaks.traces.URL, Metrics: w.leaks.metrics})
	t.Cleanup(func() { w.leaks.check(t, w) }) // runs before the server has stopped
	for _, p := range persona.All() {
		w.Log.Secret("a personal number", p.Number, p.Number[2:])
	}
	w.phone = apiclient.NewPhone(w.Sandbox.URL(), w.Sandbox.CAPEM())
	w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig.Time = w.clock.Now
	w.backend = client{w.WithKey(w.APIKey), w}
	return w
}

// validator validates the exchanges with one bank.
type validator interface {
	Handler(next http.Handler, report func(error)) http.Handler
	Transport(next http.RoundTripper, report func(error)) http.RoundTripper
}

// newValidators returns a validator for each bank of the sandbox, of its family, and that of its gateway.
func newValidators(t *testing.T) []validator {
	t.Helper()
	all := []validator{nordeaspec.New(t, "https://bank.example/"+nordeaBank, nordeaspec.Files), ebspec.New(t, "https://gateway.example/enablebanking")}
	for _, b := range obie.DefaultBanks() {
		v := obiespec.V31
		if b.Version == resource.V40 {
			v = obiespec.V40
		}
		all = append(all, obiespec.New(t, v, "https://bank.example/"+b.Company))
	}
	for _, b := range berlinBanks() {
		all = append(all, bgspec.New(t, "https://bank.example/"+b.Company).Under(b.ConsentsPath(), b.AccountsPath()))
	}
	return all
}

// berlinBanks returns the banks of the sandbox with the wire of the Berlin Group.
func berlinBanks() []aspsp.Behaviour {
	return slices.Concat(aspsp.DefaultBanks(), aspsp.RedirectBanks())
}

func (w *env) validateBanks(next http.Handler) http.Handler {
	for _, o := range w.validators {
		next = o.Handler(next, w.interceptor.addViolation)
	}
	return next
}

func (w *env) validateConnectors(next http.RoundTripper) http.RoundTripper {
	next = w.leaks.transport(w.interceptor.transport(next))
	for _, o := range w.validators {
		next = o.Transport(next, w.interceptor.addViolation)
	}
	return next
}

// awaitPolls is how often await asks: for at least twelve minutes of the env's clock.
const awaitPolls = 7200

// await calls condition every tenth of a second of the env's clock until it returns true.
// It does not count the machine's time, in which the clock may be slow.
func (w *env) await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for range awaitPolls {
		if condition() {
			return
		}
		if err := clock.Sleep(t.Context(), w.clock, 100*time.Millisecond); err != nil {
			t.Fatalf("waited for: %s (%v)", what, err)
		}
	}
	t.Fatalf("asked %d times for: %s", awaitPolls, what)
}
