package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/connect"
	"samla/internal/pages"
	connectpage "samla/internal/pages/connect"
	permissionpages "samla/internal/pages/permissions"
	"samla/internal/seal/keyset"
	"samla/internal/wire"
)

// newServer returns a server that is not started. It is stopped at the end of the test.
func newServer(t *testing.T, c Config) *Server {
	t.Helper()
	c.Listen, c.Database = "127.0.0.1:0", t.TempDir()
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), c, Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask returns the status and the route of a request without credentials.
func ask(h http.Handler, method, path string, header ...string) (status int, route string) {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, r.Pattern
}

// The list of everything that a node serves. A change of it is a decision about who may
// call what.
func TestMounts_List(t *testing.T) {
	s := newServer(t, Config{})
	mounts, err := s.mounts(v20260401.Services{})
	if err != nil {
		t.Fatal(err)
	}
	callers := map[wire.Credential]string{wire.None: "anyone", wire.APIKey: "API key", wire.Session: "session", wire.Either: "API key or session"}
	var got []string
	for _, m := range mounts {
		line := fmt.Sprintf("%s, %s, %v:", m.Path, callers[m.Callers], m.Write)
		for _, v := range m.Versions {
			line += fmt.Sprintf(" %s with %d operations", v.Contract.Version(), len(v.Endpoints))
		}
		for _, id := range slices.Sorted(maps.Keys(m.Endpoints)) {
			line += " " + id
		}
		got = append(got, line)
	}
	want := []string{
		"/, API key or session, 30s: 2025-01-01 with 6 operations 2026-04-01 with 46 operations",
		"/.well-known/jwks.json, anyone, 30s: getJwks",
		"/openapi.json, anyone, 30s: getOpenApi",
		"/status, anyone, 30s: getStatus",
		"/healthz, anyone, 30s: getHealth",
		"/readyz, anyone, 30s: getReadiness",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Every operation of the contract is served by its own route, and without credentials
// if and only if it has a row of its own in the list. Nothing else is served.
func TestMounts_AreServed(t *testing.T) {
	s := newServer(t, Config{})
	mounts, err := s.mounts(v20260401.Services{})
	if err != nil {
		t.Fatal(err)
	}
	id := strings.NewReplacer("{userUuid}", "x", "{id}", "x", "{consentId}", "x", "{collectionId}", "x")
	served, listed := 0, 0
	open := map[string]bool{}
	for _, v := range mounts[0].Versions {
		listed += len(v.Endpoints)
		for _, op := range v.Contract.Operations() {
			status, route := ask(s.Handler(), op.Method, id.Replace(op.Pattern), "Insurely-Version", v.Contract.Version())
			if route != op.Route() {
				t.Errorf("%s is answered by %q", op.Route(), route)
			}
			if want := map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[op.Credential == wire.None]; status != want {
				t.Errorf("%s without credentials: %d", op.Route(), status)
			}
			if op.Credential == wire.None {
				open[op.Pattern] = true
				continue
			}
			served++
		}
	}
	for _, m := range mounts[1:] {
		if status, _ := ask(s.Handler(), http.MethodGet, m.Path); status != http.StatusOK {
			t.Errorf("%s: %d", m.Path, status)
		}
	}
	if served != listed || len(open) != len(mounts)-1 {
		t.Errorf("%d operations are served, %d are listed; %d are open, in %d rows", served, listed, len(open), len(mounts)-1)
	}
	for _, path := range []string{"/", "/metrics", "/debug/pprof/", "/debug/vars", "/console", "/connect", "/users/x/y", "/healthz/x", "/openapi.json/", "/favicon.ico"} {
		if status, _ := ask(s.Handler(), http.MethodGet, path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// A client that sends requests and reads no answer is disconnected, on every route.
func TestServer_DisconnectsClientThatReadsNothing(t *testing.T) {
	const timeout = 100 * time.Millisecond
	s := newServer(t, Config{WriteTimeout: timeout})
	if want := readTimeout + timeout; s.http.WriteTimeout != want {
		t.Errorf("small answers have %v instead of %v", s.http.WriteTimeout, want)
	}
	closed := make(chan struct{})
	s.http.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	const requests = 200 // their answers are 37 MB, more than the connection's buffers hold
	if _, err := io.WriteString(client, strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: api\r\n\r\n", requests)); err != nil {
		t.Fatal(err)
	}
	clocktest.Receive(t, "the end of the connection", closed)
}

// The documents name every path of the pages for persons, so that no proxy leaves one out.
func TestServer_DocumentsNameThePathsOfPages(t *testing.T) {
	for file, line := range map[string]string{"../../README.md": "the proxy passes", "../../docs/operate.md": "browsers of persons"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(strings.Split(string(text), "\n"), func(l string) bool { return strings.Contains(l, line) })
		if at < 0 {
			t.Fatalf("%s says nothing of the proxy", file)
		}
		for _, path := range append(pages.Paths(), connect.Path, connectpage.LoaderPath, permissionpages.Path) {
			if !strings.Contains(strings.Split(string(text), "\n")[at], "`"+path+"`") {
				t.Errorf("%s does not name %s", file, path)
			}
		}
	}
}
