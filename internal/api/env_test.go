package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"samla/internal/api"
	"samla/internal/authn"
	"samla/internal/dedupe"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/wire"
)

// env is a handler of a small API: the contracts of testdata.
type env struct {
	testing.TB
	config api.Config
	store  store.Store
	log    *strings.Builder
	key    string // an API key
	token  string // a session token
}

func newEnv(t testing.TB) *env {
	t.Helper()
	f := flowtest.New(t, t.TempDir())
	a, err := authn.New(t.Context(), authn.Config{Store: f.Store, Vault: f.Vault, Clock: f.Clock, Issuer: "samla", Audience: "samla"})
	if err != nil {
		t.Fatal(err)
	}
	e := &env{TB: t, store: f.Store, log: &strings.Builder{}}
	log := slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	e.config = api.Config{Authn: a, Requests: dedupe.New(f.Store, f.Vault, f.Clock), Clock: f.Clock, IDs: f.IDs, Log: log}
	if _, e.key, err = a.CreateKey(t.Context(), "acme", "test", ""); err != nil {
		t.Fatal(err)
	}
	if e.token, _, err = a.IssueToken(t.Context(), f.User.ClientID, f.User.ID); err != nil {
		t.Fatal(err)
	}
	return e
}

func contract(t testing.TB, file string) *wire.Contract {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := wire.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers returns an endpoint that answers with a body.
func answers(body string) api.Endpoint {
	return api.Endpoint{Serve: func(c *api.Call) error { return c.Write(http.StatusOK, []byte(body)) }}
}

// newer returns the version of testdata/newer.json.
func newer(t testing.TB) api.Version {
	t.Helper()
	return api.Version{Contract: contract(t, "newer.json"), Endpoints: api.Endpoints{
		"getLoan": {Serve: func(c *api.Call) error {
			return c.WriteJSON(map[string]string{"loanId": c.ID()})
		}},
		"listLoans": answers(`[]`), "createLoan": answers(`{}`),
	}}
}

// mounts returns the list of a node that serves the versions.
func mounts(versions ...api.Version) []api.Mount {
	return []api.Mount{
		{Path: "/", Callers: wire.Either, Write: time.Minute, Versions: versions},
		{Path: "/hours", Write: time.Minute, Endpoints: api.Endpoints{"getHours": answers(`{"open":true}`), "setHours": answers(`{"open":true}`)}},
	}
}

func (e *env) handler(mounts []api.Mount) *api.Handler {
	e.Helper()
	h, err := api.New(e.config, mounts)
	if err != nil {
		e.Fatal(err)
	}
	return h
}

// answer is what a request got.
type answer struct {
	*httptest.ResponseRecorder
	pattern string // of the route that answered
}

// code returns the code of a problem document.
func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.Body.Bytes(), &p)
	return p.Code
}

// get sends a request with the API key.
func (e *env) get(h http.Handler, path string, header ...string) answer {
	return e.send(h, http.MethodGet, path, append([]string{"Authorization-Token", e.key}, header...)...)
}

// send sends a request. header has names and values.
func (e *env) send(h http.Handler, method, path string, header ...string) answer {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w, r.Pattern}
}
