// Package api holds the API suite: every documented behaviour of the routes,
// asked for over HTTP, on SQLite and on a real PostgreSQL, with real sandbox
// banks behind. Every exchange is held against the contract on the way.
package api

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/contract"
	"samla/internal/local"
	"samla/internal/sandbox/pki"
	"samla/internal/testpg"
)

// stores names the databases that the suite runs over and how to get one.
var stores = map[string]func(*testing.T) string{
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return testpg.URL(t) },
}

// world is one server with its sandbox and two clients that know nothing of each
// other.
type world struct {
	local    *local.Local
	contract *contract.Contract
	logs     *journal
	acme     client // API key of the first client
	other    client // API key of another one
	broken   bool   // the test has broken the server, which cannot stop well
}

// overStores runs a test against a world of its own on each store.
func overStores(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	for name, database := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, local.Config{Database: database(t)}))
		})
	}
}

func newWorld(t *testing.T, c local.Config) *world {
	t.Helper()
	w := &world{logs: &journal{secrets: map[string]string{}}}
	var err error
	if w.contract, err = contract.Load(); err != nil {
		t.Fatal(err)
	}
	c.Dir = t.TempDir()
	if err := os.CopyFS(filepath.Join(c.Dir, "sandbox"), os.DirFS(certificates(t))); err != nil {
		t.Fatal(err)
	}
	c.Log = slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if w.local, err = local.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.local.Stop(ctx); err != nil {
			t.Error(err)
		}
		w.logs.check(t)
	})
	w.acme = w.withKey(w.local.APIKey)
	_, secret, err := w.local.Server.Gate.CreateKey(t.Context(), "other", "other", "")
	if err != nil {
		t.Fatal(err)
	}
	w.other = w.withKey(secret)
	return w
}

var made struct {
	sync.Once
	dir string
	err error
}

// certificates are made once: each world takes copies, for to make an RSA key
// takes longer than most tests.
func certificates(t *testing.T) string {
	made.Do(func() {
		if made.dir, made.err = os.MkdirTemp("", "samla-api"); made.err == nil {
			_, made.err = pki.Open(made.dir, clock.System().Now, nil)
		}
	})
	if made.err != nil {
		t.Fatal(made.err)
	}
	return made.dir
}

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // the tests wait for banks and persons, not for processors
	code := m.Run()
	_ = os.RemoveAll(made.dir)
	os.Exit(code)
}

func (w *world) withKey(key string) client {
	w.logs.secret("an API key", key)
	return client{w: w, header: http.Header{"Authorization-Token": {key}}}
}

// journal keeps the log, and what must not be in it.
type journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	secrets map[string]string // secret -> what it is
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// secret notes a text that no line may hold.
func (j *journal) secret(kind, text string) {
	if text == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.secrets[text] = kind
}

// check reads the whole log for secrets.
func (j *journal) check(t *testing.T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := strings.Split(j.text.String(), "\n")
	for _, line := range lines {
		for text, kind := range j.secrets {
			if strings.Contains(line, text) {
				t.Errorf("%s is in the log: %s", kind, line)
			}
		}
	}
	if len(lines) < 2 {
		t.Error("nothing was logged: the check shows nothing")
	}
	if t.Failed() {
		t.Log(strings.Join(slices.DeleteFunc(lines, func(line string) bool {
			return strings.Contains(line, `"msg":"answered"`) && strings.Contains(line, `"method":"GET"`)
		}), "\n"))
	}
}

// id makes a text that no other test of the run uses.
func id(t *testing.T) string { return fmt.Sprintf("%s-%d", t.Name(), counter.next()) }

var counter count

type count struct {
	mu sync.Mutex
	n  int
}

func (c *count) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}
