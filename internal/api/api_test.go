package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/ratelimit"
	"samla/internal/uuid7"
	"samla/internal/wire"
	"samla/internal/wire/wiretest"
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

func loadContract(t testing.TB) *wire.Contract {
	t.Helper()
	c, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checked is the contract that answers are validated against.
func checked(t testing.TB) *wiretest.Contract {
	t.Helper()
	c, err := wiretest.Load(loadContract(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newHandler makes a handler for what needs no service.
func newHandler(t testing.TB) *Handler {
	t.Helper()
	doc := loadContract(t)
	clk := clock.NewManual(noon)
	h, err := New(Deps{Contract: doc, Clock: clk, IDs: uuid7.NewGenerator(clk, nil), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// New fails when an operation has no route or a route no operation; here is
// shown that each route is really the one that the mux takes.
func TestEveryOperationHasItsRoute(t *testing.T) {
	h := newHandler(t)
	mux := http.NewServeMux()
	h.Mount(mux)
	fill := strings.NewReplacer("{userUuid}", "x", "{id}", "x", "{consentId}", "x", "{collectionId}", "x")
	seen := 0
	for _, op := range h.Contract.Operations() {
		r := httptest.NewRequest(op.Method, fill.Replace(op.Pattern), nil)
		if _, pattern := mux.Handler(r); pattern != op.Route() {
			t.Errorf("%s is answered by %q", op.Route(), pattern)
		}
		seen++
	}
	if n := len(h.endpoints()); seen != n {
		t.Errorf("%d operations, %d endpoints", seen, n)
	}
	for _, id := range selfChecking {
		if h.Contract.Operation(id) == nil {
			t.Errorf("%s checks its user but is no operation", id)
		}
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	h := newHandler(t)
	mux := http.NewServeMux()
	h.Mount(mux)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""}, {"GET", "/nothing", 404, ""}, {"POST", "/users/", 404, ""}, {"GET", "/users/a/b", 404, ""},
		{"GET", "/wealth/collection", 404, ""}, {"GET", "/USERS", 404, ""}, {"GET", "/consents/a", 405, "DELETE"},
		{"PUT", "/users", 405, "GET, HEAD, POST"}, {"OPTIONS", "/users", 405, "GET, HEAD, POST"}, {"DELETE", "/healthz", 405, "GET, HEAD"},
		{"GET", "/collections/a/cancel", 405, "POST"}, {"BREW", "/consents", 405, "GET, HEAD, POST"},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, w.Code, w.Header().Get("Allow"))
		}
		if err := checked(t).CheckResponse("", w.Code, w.Header(), w.Body.Bytes()); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	h := newHandler(t)
	mux := http.NewServeMux()
	h.Mount(mux)
	ask := func(given ...string) string {
		r := httptest.NewRequest("GET", "/healthz", nil)
		r.Header["X-Request-Id"] = given
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w.Header().Get("X-Request-Id")
	}
	for _, good := range []string{"a", "A-z_0.9", strings.Repeat("x", 64)} {
		if got := ask(good); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	var made []string
	for _, bad := range [][]string{nil, {""}, {strings.Repeat("x", 65)}, {"a b"}, {"a/b"}, {"å"}, {"a\tb"}, {"<x>"}} {
		got := ask(bad...)
		if !isID(got) || slices.Contains(made, got) {
			t.Errorf("%q became %q", bad, got)
		}
		made = append(made, got)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	h := newHandler(t)
	var log strings.Builder
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	op := h.Contract.Operation("getHealth")
	for name, end := range map[string]endpoint{
		"secret":  func(*call) error { panic("199001011234") },
		"runtime": func(c *call) error { return []error{}[len(c.id)] },
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			w := httptest.NewRecorder()
			(&route{h: h, op: op, end: end}).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
			if err := checked(t).CheckResponse("getHealth", 500, w.Header(), w.Body.Bytes()); err != nil || w.Code != 500 {
				t.Errorf("%d: %v", w.Code, err)
			}
			if strings.Contains(log.String(), "199001011234") || !strings.Contains(log.String(), "panic") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
	// An answer under way cannot be taken back: the connection is broken off.
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panicked with %v", p)
		}
	}()
	half := func(c *call) error { _ = c.write(200, []byte(`{`)); panic("x") }
	(&route{h: h, op: op, end: half}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/healthz", nil))
	t.Error("went on")
}

// The access log names the route, never the path or the query.
func TestAccessLog(t *testing.T) {
	h := newHandler(t)
	var log strings.Builder
	h.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	mux := http.NewServeMux()
	h.Mount(mux)
	for target, want := range map[string]string{
		"/healthz?a=tolvan":       `msg=answered method=GET route=/healthz status=200`,
		"/tolvan":                 `msg=answered method=GET route=/ status=404`,
		"/consents/tolvan":        `msg=answered method=GET route=/consents/{consentId} status=405`,
		"/readyz?externalId=none": `route=/readyz`,
	} {
		log.Reset()
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("X-Request-Id", "mine")
		h.Store = gone{}
		mux.ServeHTTP(httptest.NewRecorder(), r)
		if got := log.String(); !strings.Contains(got, want) || !strings.Contains(got, "request=mine") ||
			strings.Contains(got, "tolvan") || strings.Contains(got, "externalId") {
			t.Errorf("%s: %s", target, got)
		}
	}
}

// gone is a database that does not answer.
type gone struct{}

func (gone) Ping(context.Context) error { return errors.New("the database is gone") }

func TestIDForm(t *testing.T) {
	for text, want := range map[string]bool{
		"0197b1f0-0000-7000-8000-00000000000a": true, "": false, "x": false, "0197B1F0-0000-7000-8000-00000000000A": false,
		"0197b1f0-0000-7000-8000-00000000000": false, "0197b1f000000-7000-8000-00000000000a": false,
		"0197b1f0-0000-7000-8000-0000000000\x00a": false, strings.Repeat("-", 36): false,
	} {
		if isID(text) != want {
			t.Errorf("isID(%q) = %v", text, !want)
		}
	}
}

func TestLimiter_WritesRateLimitFields(t *testing.T) {
	l := newLimiter(ratelimit.Rate{PerSecond: 2, Burst: 3})
	now := noon
	for left := 2; left >= 0; left-- {
		h := http.Header{}
		if f := l.take(h, "a", now); f != nil {
			t.Fatal(f)
		}
		wantFull := map[int]string{2: "1", 1: "1", 0: "2"}[left]
		if got, want := h.Get("RateLimit"), `"default";r=`+string(rune('0'+left))+`;t=`+wantFull; got != want {
			t.Errorf("%q instead of %q", got, want)
		}
		if got := h.Get("RateLimit-Policy"); got != `"default";q=3;w=2` {
			t.Errorf("policy %q", got)
		}
	}
	f := l.take(http.Header{}, "a", now)
	if f == nil || f.RetryAfter <= 0 {
		t.Fatalf("the fourth request at one moment: %v", f)
	}
	if f := l.take(http.Header{}, "b", now); f != nil {
		t.Error("one client uses the requests of another")
	}
	if f := l.take(http.Header{}, "a", now.Add(f.RetryAfter)); f != nil {
		t.Error("refused after Retry-After")
	}
	off, h := newLimiter(ratelimit.Rate{}), http.Header{}
	for range 1000 {
		if f := off.take(h, "a", now); f != nil || len(h) > 0 {
			t.Fatalf("no limit: %v %v", f, h)
		}
	}
}
