package server

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/seal/keyset"
	"samla/internal/wire"
)

func newServer(t *testing.T) *Server {
	t.Helper()
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Config{Database: t.TempDir()}, Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask returns the status and the route of a request without credentials.
func ask(h http.Handler, method, path string) (status int, route string) {
	r := httptest.NewRequest(method, path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, r.Pattern
}

// The list of everything that a node serves. A change of it is a decision about who may
// call what.
func TestMounts_List(t *testing.T) {
	s := newServer(t)
	mounts, err := s.mounts(v20260401.Services{})
	if err != nil {
		t.Fatal(err)
	}
	callers := map[wire.Credential]string{wire.None: "anyone", wire.APIKey: "API key", wire.Session: "session", wire.Either: "API key or session"}
	var got []string
	for _, m := range mounts {
		line := m.Path + ", " + callers[m.Callers] + ":"
		for _, v := range m.Versions {
			line += fmt.Sprintf(" %s with %d operations", v.Contract.Version(), len(v.Endpoints))
		}
		for _, id := range slices.Sorted(maps.Keys(m.Endpoints)) {
			line += " " + id
		}
		got = append(got, line)
	}
	want := []string{
		"/, API key or session: 2026-04-01 with 19 operations",
		"/.well-known/jwks.json, anyone: getJwks",
		"/openapi.json, anyone: getOpenApi",
		"/healthz, anyone: getHealth",
		"/readyz, anyone: getReadiness",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Every operation of the contract is served by its own route, and without credentials
// if and only if it has a row of its own in the list. Nothing else is served.
func TestMounts_AreServed(t *testing.T) {
	s := newServer(t)
	mounts, err := s.mounts(v20260401.Services{})
	if err != nil {
		t.Fatal(err)
	}
	contract, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	id := strings.NewReplacer("{userUuid}", "x", "{id}", "x", "{consentId}", "x", "{collectionId}", "x")
	open, served := 0, 0
	for _, op := range contract.Operations() {
		status, route := ask(s.Handler(), op.Method, id.Replace(op.Pattern))
		if route != op.Route() {
			t.Errorf("%s is answered by %q", op.Route(), route)
		}
		if op.Credential == wire.None {
			open++
		}
		if want := map[bool]int{true: http.StatusOK, false: http.StatusUnauthorized}[op.Credential == wire.None]; status != want {
			t.Errorf("%s without credentials: %d", op.Route(), status)
		}
		served++
	}
	listed := 0
	for _, m := range mounts {
		if m.Path == "/" {
			listed += len(m.Versions[0].Endpoints)
			continue
		}
		listed++
		if status, _ := ask(s.Handler(), http.MethodGet, m.Path); status != http.StatusOK {
			t.Errorf("%s: %d", m.Path, status)
		}
	}
	if served != listed || open != len(mounts)-1 {
		t.Errorf("%d operations are served, %d are listed; %d are open, in %d rows", served, listed, open, len(mounts)-1)
	}
	for _, path := range []string{"/", "/metrics", "/debug/pprof/", "/debug/vars", "/console", "/connect", "/users/x/y", "/healthz/x", "/openapi.json/", "/favicon.ico"} {
		if status, _ := ask(s.Handler(), http.MethodGet, path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}
