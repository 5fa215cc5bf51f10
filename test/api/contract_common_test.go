package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/ratelimit"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/wire"
	"samla/test/harness"
)

// commonRows get the answers that operations of every version have in common.
var commonRows = []row{
	{"credentials and versions", rowCredentials},
	{"bodies and ids", rowBodies},
	{"idempotency keys", rowIdempotency},
	{"rate limits", rowRateLimits},
	{"the server's own failures", rowFailures},
	{"without the database", rowOutage},
}

// bodies are valid bodies of the operations that read one. The companies and ids in them
// need not exist.
var bodies = map[string]func(t *testing.T) any{
	"createUser": func(t *testing.T) any { return object{"externalId": harness.UniqueID(t)} },
	"addSupplementInformation": func(*testing.T) any {
		return object{"type": "TWO_FACTOR_CODE", "value": "1234"}
	},
	"renewConsent":  func(*testing.T) any { return renewal(scopeParameter()) },
	"createConsent": func(*testing.T) any { return requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)) },
	"createConnectLink": func(*testing.T) any {
		return object{"userUuid": "01890000-0000-7000-8000-000000000000", "purpose": "test"}
	},
	"createPermissionLink": func(*testing.T) any { return object{"language": "sv"} },
	"putRefreshPlan":       func(*testing.T) any { return object{"timesPerDay": 2} },
}

// body returns a valid body of an operation, or nil if it reads none.
func (w *walk) body(t *testing.T, op wire.Operation) any {
	t.Helper()
	make, ok := bodies[w.contract.Version()+" "+op.ID]
	if !ok {
		make, ok = bodies[op.ID]
	}
	if ok {
		return make(t)
	}
	if w.contract.ReadsBody(op.ID) {
		t.Errorf("%s has no valid body in this test", op.ID)
	}
	return nil
}

// start starts an env for a row.
func (w *walk) start(t *testing.T, c devserver.Config) *walk {
	t.Helper()
	e := w.of(newEnv(t, c))
	e.registerSecrets()
	return e
}

// newest returns a client that speaks the newest version. It is observed if that is the
// version of the walk.
func (w *walk) newest(c client) client {
	if c.Contract = nil; w.contract != w.Contract {
		c.Observe = nil
	}
	return c
}

// person creates a user and a session.
func (w *walk) person(t *testing.T) (userObject, client) {
	t.Helper()
	u, session := w.newest(w.acme).person(t)
	return u, w.in(session)
}

// callers returns a client with a credential that an operation accepts, and one with a
// credential of the wrong kind, if there is one.
func callers(op wire.Operation, key, session client) (right client, wrong *client) {
	switch op.Credential {
	case wire.APIKey:
		return key, &session
	case wire.Session:
		return session, &key
	}
	return session, nil
}

func rowCredentials(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	_, session := w.person(t)
	none, key := w.in(w.noCredential()), w.acme.Header.Get("Authorization-Token")
	w.operations(func(op wire.Operation, path string) {
		if op.Credential == wire.None {
			none.with("X-Large", strings.Repeat("x", 40<<10)).Do(t, op.Method, path, nil)
			none.Do(t, op.Method, path, nil)
			none.with("Insurely-Version", "2024-01-01").Do(t, op.Method, path, nil)
			return
		}
		right, wrong := callers(op, w.acme, session)
		none.Do(t, op.Method, path, nil).WantProblem(t, fault.Unauthorized)
		session.with("Authorization-Token", key).Do(t, op.Method, path, nil).WantProblem(t, fault.AmbiguousCredentials)
		right.with("Insurely-Version", "2024-01-01").Do(t, op.Method, path, nil).WantProblem(t, fault.UnsupportedVersion)
		if wrong != nil {
			wrong.Do(t, op.Method, path, nil).WantProblem(t, fault.Forbidden)
		}
	})
	// The document is not sent again to those who have it.
	tag := none.Do(t, http.MethodGet, "/openapi.json", nil).Header.Get("ETag")
	none.with("If-None-Match", tag).Do(t, http.MethodGet, "/openapi.json", nil).WantStatus(t, http.StatusNotModified, nil)
}

func rowBodies(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	_, session := w.person(t)
	w.operations(func(op wire.Operation, path string) {
		if op.Credential == wire.None {
			return
		}
		c, _ := callers(op, w.acme, session)
		if valid := w.body(t, op); valid != nil {
			c.Do(t, op.Method, path, "{").WantProblem(t, fault.MalformedJSON)
			c.Do(t, op.Method, path, "[]").WantProblem(t, fault.InvalidParameter)
			c.Do(t, op.Method, path, `{"a":"`+strings.Repeat("x", 2<<20)+`"}`).WantProblem(t, fault.BodyTooLarge)
			c.with("Content-Type", "text/plain").Do(t, op.Method, path, valid).WantProblem(t, fault.UnsupportedMediaType)
			if strings.Contains(path, unknownID) {
				c.Do(t, op.Method, path, valid)
			}
			return
		}
		c.Do(t, op.Method, path, nil)
		if len(op.QueryParameters()) > 0 {
			c.Do(t, op.Method, path+"?limit=0", nil).WantProblem(t, fault.InvalidParameter)
		}
	})
}

func rowIdempotency(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	_, session := w.person(t)
	used := "used by another route"
	harnessUser := object{"externalId": harness.UniqueID(t)}
	w.newest(w.acme).with("Idempotency-Key", used).post(t, "/users", harnessUser, nil)
	w.operations(func(op wire.Operation, path string) {
		if !op.Idempotent {
			return
		}
		right, _ := callers(op, w.acme, session)
		if op.ID == "createUser" { // the route that used the key, with another body
			harnessUser["externalId"] = harness.UniqueID(t)
		}
		right.with("Idempotency-Key", used).Do(t, op.Method, path, w.body(t, op)).WantProblem(t, fault.IdempotencyKeyReused)
		right.with("Idempotency-Key", strings.Repeat("k", 256)).Do(t, op.Method, path, w.body(t, op)).WantProblem(t, fault.InvalidParameter)
		w.inProgress(t, right, op, path)
	})
}

// inProgress sends the same request many times at once, until one finds another in
// progress.
func (w *walk) inProgress(t *testing.T, c client, op wire.Operation, path string) {
	t.Helper()
	if !w.documents(op.ID, fault.IdempotencyInProgress) {
		return
	}
	for deadline := time.Now().Add(pollTimeout); time.Now().Before(deadline); {
		caller, body := c.with("Idempotency-Key", harness.UniqueID(t)), w.body(t, op)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { caller.Do(t, op.Method, path, body) })
		}
		if all.Wait(); w.got(op.ID, fault.IdempotencyInProgress) {
			return
		}
	}
}

// documents reports whether an operation has an answer with this code.
func (w *walk) documents(id string, code fault.Code) bool {
	for _, d := range w.contract.Documented() {
		if d.Operation == id && d.Code == code {
			return true
		}
	}
	return false
}

func (w *walk) got(id string, code fault.Code) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d := range w.seen {
		if d.Operation == id && d.Code == code {
			return true
		}
	}
	return false
}

// rowRateLimits uses up the limits of the client. Its session token needs one request.
func rowRateLimits(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.of(newBareEnv(t, server.Config{Database: database(t), Rate: ratelimit.Rate{PerSecond: 0.001, Burst: 2}}))
	_, session := w.person(t)
	w.operations(func(op wire.Operation, path string) {
		if op.Credential != wire.None {
			c, _ := callers(op, w.acme, session)
			c.Do(t, op.Method, path, nil).WantProblem(t, fault.RateLimited)
		}
	})
}

// rowFailures asks a server that has no time for a request, and one without its database.
func rowFailures(t *testing.T, w *walk, database func(*testing.T) string) {
	for _, c := range []struct {
		config server.Config
		fail   func(*walk)
	}{
		{server.Config{Database: database(t), RequestTimeout: time.Nanosecond}, func(*walk) {}},
		{server.Config{Database: database(t)}, func(w *walk) {
			w.broken = true
			if err := w.Server.Store().Close(); err != nil {
				t.Error(err)
			}
		}},
	} {
		e := w.of(newBareEnv(t, c.config))
		token, _, err := e.Server.Authn.IssueToken(t.Context(), "acme", unknownID)
		if err != nil {
			t.Fatal(err)
		}
		session := e.in(e.noCredential()).with("Authorization", "Bearer "+token)
		c.fail(e)
		w.operations(func(op wire.Operation, path string) {
			right, _ := callers(op, e.acme, session)
			if op.Credential == wire.None {
				right = e.in(e.noCredential())
			}
			right.Do(t, op.Method, path, w.body(t, op))
		})
	}
}

// newBareEnv returns an env without banks.
func newBareEnv(t *testing.T, c server.Config) *env {
	t.Helper()
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen = "127.0.0.1:0"; c.Database == "" {
		c.Database = t.TempDir()
	}
	c.KeyDir = t.TempDir() + "/keys"
	s, err := server.New(t.Context(), c, server.Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master})
	if err != nil {
		t.Fatal(err)
	}
	w := &env{Env: harness.NewEnv(t, &devserver.Environment{Server: s})}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil && !w.broken {
			t.Error(err)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.acme, w.other = client{w.Tenant(t, "acme")}, client{w.Tenant(t, "other")}
	return w
}

// rowOutage takes the database away while the server runs.
func rowOutage(t *testing.T, w *walk, database func(*testing.T) string) {
	url := database(t)
	if url == "" {
		return // a file that is open does not go away
	}
	w = w.of(newBareEnv(t, server.Config{Database: url}))
	_, session := w.person(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	name := config.Database
	config.Database = "postgres" // a database cannot refuse its own connections
	admin, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(t.Context())) }()
	w.broken = true
	if _, err := admin.Exec(t.Context(), `ALTER DATABASE `+pgx.Identifier{name}.Sanitize()+` ALLOW_CONNECTIONS false`); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
		t.Fatal(err)
	}
	w.operations(func(op wire.Operation, path string) {
		if op.Credential != wire.None {
			right, _ := callers(op, w.acme, session)
			right.Do(t, op.Method, path, w.body(t, op))
		}
	})
	w.in(w.noCredential()).Do(t, http.MethodGet, "/readyz", nil).WantStatus(t, http.StatusServiceUnavailable, nil)
}
