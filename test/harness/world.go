package harness

import (
	"context"
	"net/http"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/wire/wiretest"
)

// World is one running set: a server with its sandbox, the contract that it is
// held to and what it logs.
type World struct {
	*devserver.Environment
	Dir      string // where it keeps its files
	Contract *wiretest.Contract
	Journal  *Journal
	Strict   bool // as of Suite
}

// Start starts a set in a directory of its own. Dir and Log of c are set here.
// At the end of the test the set must stop within a minute, and its journal is
// checked.
func (s *Suite) Start(t *testing.T, c devserver.Config) *World {
	t.Helper()
	w := New(t, nil)
	w.Dir, w.Strict = t.TempDir(), s.Strict
	s.certify(t, w.Dir)
	c.Dir, c.Log = w.Dir, w.Journal.Logger()
	var err error
	if w.Environment, err = devserver.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
		w.Journal.Check(t)
	})
	return w
}

// New makes a world around a set that the test itself starts, stops and checks.
func New(t *testing.T, l *devserver.Environment) *World {
	t.Helper()
	doc, err := wiretest.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &World{Environment: l, Contract: doc, Journal: NewJournal()}
}

// Anyone calls the server without a credential.
func (w *World) Anyone() Client {
	return Client{World: w, Base: w.Server.URL(), Header: http.Header{}}
}

// Key calls the server with an API key.
func (w *World) Key(key string) Client {
	w.Journal.Secret("an API key", key)
	c := w.Anyone()
	c.Header.Set("Authorization-Token", key)
	return c
}

// Tenant makes a client of the API and calls the server with its key. What such
// clients have is nobody else's.
func (w *World) Tenant(t *testing.T, name string) Client {
	t.Helper()
	_, key, err := w.Server.Authn.CreateKey(t.Context(), name, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return w.Key(key)
}
