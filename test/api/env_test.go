// Package api tests the documented behaviour of every route over HTTP, on SQLite and on a
// real PostgreSQL, with the banks of the sandbox. Every exchange is validated with the
// contract.
package api

import (
	"os"
	"testing"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/test/harness"
)

var suite = &harness.Suite{Parallel: 8, Now: clock.System().Now}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// env is a server with its sandbox and two clients.
type env struct {
	*harness.Env
	acme   client // has the API key of the first client
	other  client // has the API key of another client
	broken bool   // the test has closed the store, so the server cannot stop without errors
}

// onStores runs a test on each store, each with a new env.
func onStores(t *testing.T, test func(t *testing.T, w *env)) {
	t.Parallel()
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newEnv(t, devserver.Config{Database: database(t)}))
		})
	}
}

func newEnv(t *testing.T, c devserver.Config) *env {
	t.Helper()
	w := &env{Env: suite.Start(t, c)}
	w.acme, w.other = client{w.WithKey(w.APIKey)}, client{w.Tenant(t, "other")}
	return w
}

func (w *env) noCredential() client { return client{w.NoCredential()} }
