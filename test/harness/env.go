package harness

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/devserver"
	"samla/internal/flowtest"
	"samla/internal/wire"
	"samla/internal/wire/wiretest"
)

// Env is a running server with its sandbox, the API contract, and the server's log.
type Env struct {
	*devserver.Environment
	Dir           string             // directory of its files
	Contract      *wiretest.Contract // of the newest version
	Older         *wiretest.Contract // of version 2025-01-01
	Log           *Log
	CheckRequests bool // see Suite
}

// Start starts an Env in a temporary directory; it sets Dir and Log of c. At the end of
// the test it stops the Env, which must take less than a minute, and checks the log.
func (s *Suite) Start(t *testing.T, c devserver.Config) *Env {
	t.Helper()
	w := NewEnv(t, nil)
	w.Dir, w.CheckRequests = t.TempDir(), s.CheckRequests
	s.copyCertificates(t, w.Dir)
	c.Dir, c.Log = w.Dir, w.Log.Logger()
	c.MaxWaiting = waiting(c.MaxWaiting, c.Clock)
	if c.Database == "" {
		c.Database = filepath.Join(w.Dir, "store")
	}
	flowtest.Prepare(t, c.Database)
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
		w.Log.Check(t)
	})
	return w
}

// NewEnv returns an Env with an environment that the test itself starts, stops and checks.
func NewEnv(t *testing.T, l *devserver.Environment) *Env {
	t.Helper()
	return &Env{Environment: l, Contract: Contract(t), Older: OlderContract(t), Log: NewLog()}
}

// Contract returns the contract of the newest version of the API.
func Contract(t *testing.T) *wiretest.Contract {
	t.Helper()
	return load(t, v20260401.Contract)
}

// OlderContract returns the contract of version 2025-01-01.
func OlderContract(t *testing.T) *wiretest.Contract {
	t.Helper()
	return load(t, v20250101.Contract)
}

func load(t *testing.T, of func() (*wire.Contract, error)) *wiretest.Contract {
	t.Helper()
	version, err := of()
	if err != nil {
		t.Fatal(err)
	}
	c, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// NoCredential returns a client without a credential.
func (w *Env) NoCredential() Client {
	return Client{Env: w, Base: w.Server.URL(), Header: http.Header{}}
}

// WithKey returns a client with an API key.
func (w *Env) WithKey(key string) Client {
	w.Log.Secret("an API key", key)
	c := w.NoCredential()
	c.Header.Set("Authorization-Token", key)
	return c
}

// Tenant creates a tenant (a client of the API) with an API key and returns a client that
// uses it. Tenants share no data.
func (w *Env) Tenant(t *testing.T, name string) Client {
	t.Helper()
	_, key, err := w.Server.Authn.CreateKey(t.Context(), name, name, "")
	if err != nil {
		t.Fatal(err)
	}
	return w.WithKey(key)
}
