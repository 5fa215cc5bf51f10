package bankpage_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

const (
	maja   = persona.Default
	ester  = "190905271474"
	prefix = "/bank/login/"
	client = "https://client.example/back"
)

var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// host is a bank with any number of logins that start with the same visit.
type host struct {
	mu      sync.Mutex
	visits  map[string]bankpage.Visit
	decided map[string][]bankpage.Decision
	steps   []bankpage.Step
	stays   bool  // Decide returns no address
	err     error // of Decide
}

func (h *host) Visit(id string) (bankpage.Visit, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v, ok := h.visits[id]
	if !ok {
		return v, bankpage.ErrNoVisit
	}
	return v, nil
}

func (h *host) Accounts(string, string) ([]bankpage.Account, error) {
	return []bankpage.Account{{ID: "a1", Name: "Lönekonto", Number: "5000 1"}, {ID: "a2", Name: "Spar & mer", Number: "5000 2"}}, nil
}

func (h *host) Decide(id string, d bankpage.Decision) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return "", h.err
	}
	h.decided[id] = append(h.decided[id], d)
	if h.stays {
		return "", nil
	}
	return client + "?state=s#" + url.Values{"outcome": {string(d.Outcome)}}.Encode(), nil
}

func (h *host) Entered(_ string, s bankpage.Step) { h.steps = append(h.steps, s) }

// env is a bank's page and the phone on one address.
type env struct {
	*testing.T
	*host
	clock  clock.Clock
	bankID *bankid.Service
	pages  *bankpage.Pages
	server *httptest.Server
	dir    string
	open   func() // starts BankID and the page from their journals
}

// start serves the page with a clock that runs two hundred times as fast.
func start(t *testing.T) *env { return startAt(t, clock.NewFast(startTime, 200)) }

func startAt(t *testing.T, c clock.Clock) *env {
	t.Helper()
	e := &env{T: t, clock: c, dir: t.TempDir(), host: &host{decided: map[string][]bankpage.Decision{}}}
	until := startTime.Add(15 * time.Minute)
	e.visits = map[string]bankpage.Visit{
		"any":    {Bank: "Testbanken", Client: "Fina AB", Until: until, Asked: []string{"your accounts"}},
		"maja":   {Bank: "Testbanken", Client: "Fina AB", PersonalNumber: maja, Until: until},
		"choose": {Bank: "Testbanken", Client: "<Fina>", Until: until, Asked: []string{"accounts & balances"}, Choose: true},
	}
	var handler http.Handler
	var mu sync.Mutex
	e.open = func() {
		t.Helper()
		b := bankid.New(c, rand.Reader)
		b.Habit = func(n string) (bankid.Habit, bool) {
			h, ok := persona.HabitOf(n)
			return bankid.Habit{OpenAfter: h.Opens, ActAfter: h.Acts, Action: bankid.Action(h.Does), By: h.SignsAs}, ok
		}
		b.ApprovalFailure = func(n string) string { h, _ := persona.HabitOf(n); return h.Failure }
		if err := b.OpenJournal(filepath.Join(e.dir, "bankid")); err != nil {
			t.Fatal(err)
		}
		pages, err := bankpage.New(bankpage.Config{Host: e.host, BankID: b, Clock: c, Prefix: prefix, Journal: filepath.Join(e.dir, "pages")})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle(prefix, pages)
		(&httpapi.Phone{Service: b}).Mount(mux)
		mu.Lock()
		defer mu.Unlock()
		e.bankID, e.pages, handler = b, pages, mux
	}
	e.open()
	e.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handler
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(e.server.Close)
	return e
}

func (e *env) browser() *visitor.Browser {
	return visitor.New(e.server.Client().Transport, e.clock, e.server.URL)
}

func (e *env) address(id string) string { return e.server.URL + e.pages.Path(id) }

// visit walks a login and returns the outcome in the return address.
func (e *env) visit(b *visitor.Browser, id string, p visitor.Person) string {
	e.Helper()
	to, err := b.Visit(e.Context(), e.address(id), p)
	if errors.Is(err, visitor.ErrStays) {
		return "stays: " + strings.TrimPrefix(err.Error(), visitor.ErrStays.Error()+": ")
	}
	if err != nil {
		e.Fatal(err)
	}
	if !strings.HasPrefix(to.String(), client+"?state=s#outcome=") {
		e.Fatalf("returned to %s", to)
	}
	return strings.TrimPrefix(to.Fragment, "outcome=")
}

// get returns the status, the Location and the text of an answer.
func (e *env) get(b *visitor.Browser, path string) (int, string, string) {
	e.Helper()
	a, err := b.Get(e.Context(), e.server.URL+path)
	if err != nil {
		e.Fatal(err)
	}
	return e.read(a)
}

func (e *env) submit(b *visitor.Browser, id string, fields url.Values) (int, string, string) {
	e.Helper()
	a, err := b.Submit(e.Context(), e.address(id), fields)
	if err != nil {
		e.Fatal(err)
	}
	return e.read(a)
}

func (e *env) read(a *http.Response) (int, string, string) {
	e.Helper()
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		e.Fatal(err)
	}
	return a.StatusCode, a.Header.Get("Location"), string(text)
}
