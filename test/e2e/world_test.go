// Package e2e holds the end-to-end tests: a whole Samla with its sandbox, walked
// over HTTP as a client's backend, a front end and a person's phone would. Every
// exchange with a bank is judged by the Berlin Group definition on both sides of
// the wire, every exchange with the API by the contract, and every log line is
// searched for what must not be in it.
package e2e

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"samla/internal/bgoracle"
	"samla/internal/contract"
	"samla/internal/local"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
	"samla/internal/testpg"
	"samla/internal/tour"
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

// stores names the databases that the main scenarios run over.
var stores = map[string]func(*testing.T) string{
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return testpg.URL(t) },
}

// world is one running set and those who use it.
type world struct {
	*local.Local
	dir      string
	database string
	clock    *warp
	contract *contract.Contract
	logs     *journal
	wire     *wire
	phone    *tour.Phone
	backend  client // the API key of the first client
	people   sync.Map
}

// speed is how many times as fast as the machine's clock a world lives, unless a
// test says otherwise.
const speed = 8

func newWorld(t *testing.T, database string, factor int) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), database: database, clock: newWarp(morning, factor), logs: newJournal(), wire: &wire{}}
	var err error
	if w.contract, err = contract.Load(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(w.dir, "sandbox"), os.DirFS(certificates(t))); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.Local, err = local.Start(t.Context(), local.Config{Dir: w.dir, Database: database, Clock: w.clock, Log: log,
		Wrap: w.judgeBanks, WrapBank: w.judgeConnectors})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
		w.wire.check(t)
		w.logs.check(t)
	})
	w.logs.secret("an API key", w.APIKey)
	for _, p := range persona.Roster() {
		w.logs.secret("a personal number", p.Number, p.Number[2:])
	}
	w.phone = tour.NewPhone(w.Sandbox.URL(), w.Sandbox.CAPEM())
	w.phone.HTTP.Transport.(*http.Transport).TLSClientConfig.Time = w.clock.Now
	w.backend = client{w: w, base: w.Server.URL(), header: http.Header{"Authorization-Token": {w.APIKey}}}
	return w
}

// oracles judge the banks of the sandbox.
var oracles = sync.OnceValues(func() ([]*bgoracle.Oracle, error) {
	var all []*bgoracle.Oracle
	for _, b := range aspsp.Shipped() {
		o, err := bgoracle.New("https://bank.example/" + b.Company)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
})

func (w *world) judgeBanks(next http.Handler) http.Handler {
	judges, err := oracles()
	w.wire.violation(err)
	for _, o := range judges {
		next = o.Handler(next, w.wire.violation)
	}
	return next
}

func (w *world) judgeConnectors(next http.RoundTripper) http.RoundTripper {
	next = w.wire.around(next)
	judges, err := oracles()
	w.wire.violation(err)
	for _, o := range judges {
		next = o.Transport(next, w.wire.violation)
	}
	return next
}

var made struct {
	sync.Once
	dir string
	err error
}

// certificates are made once, for to make an RSA key takes longer than a test.
func certificates(t *testing.T) string {
	made.Do(func() {
		if made.dir, made.err = os.MkdirTemp("", "samla-e2e"); made.err == nil {
			_, made.err = pki.Open(made.dir, func() time.Time { return morning }, nil)
		}
	})
	if made.err != nil {
		t.Fatal(made.err)
	}
	return made.dir
}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "4") // the tests wait for banks and persons more than for processors
	code := m.Run()
	if made.dir != "" {
		code = max(code, exitCode(os.RemoveAll(made.dir)))
	}
	os.Exit(code)
}

func exitCode(err error) int {
	if err != nil {
		return 1
	}
	return 0
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
