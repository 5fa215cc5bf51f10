package api

import (
	"bytes"
	"net/http"
	"testing"

	"samla/internal/api"
	"samla/internal/contract"
	"samla/internal/fault"
)

func TestServerRoutes(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		anyone := client{w: w}
		for path, want := range map[string]string{
			"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ok","checks":{"store":"ok"}}`, "/openapi.json": string(contract.Document()),
		} {
			if a := anyone.with("Insurely-Version", "").get(t, path, nil); string(a.body) != want {
				t.Errorf("%s: %.200s", path, a.body)
			}
		}
		var set struct{ Keys []map[string]string }
		a := anyone.get(t, "/.well-known/jwks.json", &set)
		if len(set.Keys) == 0 || set.Keys[0]["kty"] != "OKP" || set.Keys[0]["d"] != "" || a.header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("keys %s, %v", a.body, a.header)
		}
		anyone.do(t, "GET", "/nothing", nil).fails(t, fault.NotFound)
		if a := anyone.do(t, "PATCH", "/users", nil); a.fails(t, fault.MethodNotAllowed).Instance != "/users" || a.header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("PATCH: %s, %v", a.body, a.header)
		}
		if a := anyone.do(t, "HEAD", "/healthz", nil); a.status != http.StatusOK || len(a.body) > 0 {
			t.Errorf("HEAD: %d %s", a.status, a.body)
		}
	})
}

func TestAvailability(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		_, session := w.acme.person(t)
		var list []struct {
			Company      string
			Functional   bool
			Status       string
			LoginMethods []string
			Market       string
			PSD2         bool
		}
		a := w.acme.get(t, "/companies/availability", &list)
		if b := session.get(t, "/companies/availability", nil); !bytes.Equal(a.body, b.body) {
			t.Errorf("the session sees %s", b.body)
		}
		if len(list) != 4 {
			t.Fatalf("%s", a.body)
		}
		for _, c := range list {
			if !c.Functional || c.Status != "AVAILABLE" || c.Market != "se" || !c.PSD2 || len(c.LoginMethods) == 0 {
				t.Errorf("%+v", c)
			}
		}
	})
}

// A server whose database is gone says so, and lives.
func TestDatabaseGone(t *testing.T) {
	w := newLimited(t, api.Rate{})
	w.broken = true
	if err := w.local.Server.Store().Close(); err != nil {
		t.Fatal(err)
	}
	anyone := client{w: w}
	anyone.get(t, "/healthz", nil)
	anyone.do(t, "GET", "/readyz", nil).is(t, http.StatusServiceUnavailable, nil)
	w.acme.do(t, "GET", "/users/"+nobody, nil).fails(t, fault.Internal)
}
