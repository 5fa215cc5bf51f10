// Package api holds the API suite: every documented behaviour of the routes,
// asked for over HTTP, on SQLite and on a real PostgreSQL, with real sandbox
// banks behind. Every exchange is held against the contract on the way.
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

// world is one server with its sandbox and two clients that know nothing of each
// other.
type world struct {
	*harness.World
	acme   client // API key of the first client
	other  client // API key of another one
	broken bool   // the test has broken the server, which cannot stop well
}

// overStores runs a test against a world of its own on each store.
func overStores(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, devserver.Config{Database: database(t)}))
		})
	}
}

func newWorld(t *testing.T, c devserver.Config) *world {
	t.Helper()
	w := &world{World: suite.Start(t, c)}
	w.acme, w.other = client{w.Key(w.APIKey)}, client{w.Tenant(t, "other")}
	return w
}

func (w *world) anyone() client { return client{w.Anyone()} }
