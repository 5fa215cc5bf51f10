// Package e2e holds the end-to-end tests: a whole Samla with its sandbox, walked
// over HTTP as a client's backend, a front end and a person's phone would. Every
// exchange with a bank is judged by the Berlin Group definition on both sides of
// the wire, every exchange with the API by the contract, and every log line is
// searched for what must not be in it.
package e2e

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/bgspec"
	"samla/internal/devserver"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"
	"samla/test/harness"
)

// morning is when the story of every world begins.
var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// The sandbox's banks.
const (
	demo      = "se-demo-psd2"
	autostart = "se-sandbox-autostart"
	static    = "se-sandbox-static"
	short     = "se-sandbox-short"
)

// suite holds its own requests to the contract as well: nothing here is sent to
// be refused for its form.
var suite = &harness.Suite{Parallel: 4, Now: func() time.Time { return morning }, Strict: true}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// world is one running set and those who use it.
type world struct {
	*harness.World
	database string
	clock    *warp
	wire     *wire
	oracles  []*bgspec.Oracle // one for each bank of the sandbox
	phone    *apiclient.Phone
	backend  client // the API key of the first client
	people   sync.Map
}

// speed is how many times as fast as the machine's clock a world lives, unless a
// test says otherwise.
const speed = 8

func newWorld(t *testing.T, database string, factor int) *world {
	t.Helper()
	w := &world{database: database, clock: newWarp(morning, factor), wire: &wire{}, oracles: oracles(t)}
	t.Cleanup(func() { w.wire.check(t) }) // after the set has stopped
	w.World = suite.Start(t, devserver.Config{Database: database, Clock: w.clock, WrapSandbox: w.judgeBanks, WrapConnectors: w.judgeConnectors})
	for _, p := range persona.All() {
		w.Journal.Secret("a personal number", p.Number, p.Number[2:])
	}
	w.phone = apiclient.NewPhone(w.Sandbox.URL(), w.Sandbox.CAPEM())
	w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig.Time = w.clock.Now
	w.backend = client{w.Key(w.APIKey), w}
	return w
}

// oracles returns one oracle for each bank of the sandbox.
func oracles(t *testing.T) []*bgspec.Oracle {
	t.Helper()
	var all []*bgspec.Oracle
	for _, b := range aspsp.DefaultBanks() {
		all = append(all, bgspec.New(t, "https://bank.example/"+b.Company))
	}
	return all
}

func (w *world) judgeBanks(next http.Handler) http.Handler {
	for _, o := range w.oracles {
		next = o.Handler(next, w.wire.violation)
	}
	return next
}

func (w *world) judgeConnectors(next http.RoundTripper) http.RoundTripper {
	next = w.wire.around(next)
	for _, o := range w.oracles {
		next = o.Transport(next, w.wire.violation)
	}
	return next
}

// limit bounds the wait for anything that has to come: generous, for a busy
// machine.
const limit = 90 * time.Second

// until asks again each tenth of a second of the world's clock until ask is
// content.
func (w *world) until(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !ask() {
		timer := w.clock.NewTimer(100 * time.Millisecond)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			t.Fatalf("waited %v for: %s (%v)", limit, what, errors.Unwrap(context.Cause(ctx)))
		}
	}
}
