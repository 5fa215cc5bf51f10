package api

import (
	"bytes"
	"net/http"
	"testing"

	"samla/internal/fault"
	"samla/internal/ratelimit"
)

func TestServer_ServesRoutesWithoutCredential(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		anyone := w.noCredential()
		for path, want := range map[string]string{
			"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ok","checks":{"store":"ok"}}`, "/openapi.json": string(w.Contract.Text()),
		} {
			if a := anyone.with("Insurely-Version", "").get(t, path, nil); string(a.Body) != want {
				t.Errorf("%s: %.200s", path, a.Body)
			}
		}
		var set struct{ Keys []map[string]string }
		a := anyone.get(t, "/.well-known/jwks.json", &set)
		if len(set.Keys) == 0 || set.Keys[0]["kty"] != "OKP" || set.Keys[0]["d"] != "" || a.Header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("keys %s, %v", a.Body, a.Header)
		}
		anyone.Do(t, "GET", "/nothing", nil).WantProblem(t, fault.NotFound)
		if a := anyone.Do(t, "PATCH", "/users", nil); a.WantProblem(t, fault.MethodNotAllowed).Instance != "/users" || a.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("PATCH: %s, %v", a.Body, a.Header)
		}
		if a := anyone.Do(t, "HEAD", "/healthz", nil); a.Status != http.StatusOK || len(a.Body) > 0 {
			t.Errorf("HEAD: %d %s", a.Status, a.Body)
		}
	})
}

func TestAvailability_ListsCompanies(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
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
		if b := session.get(t, "/companies/availability", nil); !bytes.Equal(a.Body, b.Body) {
			t.Errorf("with a session: %s", b.Body)
		}
		offered := w.Institutions.Offered()
		if len(list) != len(offered) || len(list) < 11 {
			t.Fatalf("%s", a.Body)
		}
		for i, c := range list {
			if !c.Functional || c.Status != "AVAILABLE" || c.Market != "se" || len(c.LoginMethods) == 0 || i > 0 && list[i-1].Company >= c.Company {
				t.Errorf("%+v", c)
			}
			if o := offered[i]; c.Company != o.Company.ID || c.PSD2 != (o.Family != "source") {
				t.Errorf("%+v is %s of the family %s", c, o.Company.ID, o.Family)
			}
			// The example of docs/reference/api.md 6.1.
			if c.Company == "se-demo" && (c.PSD2 || c.LoginMethods[0] != "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK") ||
				c.Company == demoBank && !c.PSD2 {
				t.Errorf("%+v", c)
			}
		}
	})
}

// Without its database the server keeps running and reports that it is not ready.
func TestReadiness_FailsWithoutDatabase(t *testing.T) {
	w := newEnvWithRate(t, ratelimit.Rate{})
	w.broken = true
	if err := w.Server.Store().Close(); err != nil {
		t.Fatal(err)
	}
	anyone := w.noCredential()
	anyone.get(t, "/healthz", nil)
	anyone.Do(t, "GET", "/readyz", nil).WantStatus(t, http.StatusServiceUnavailable, nil)
	w.acme.Do(t, "GET", "/users/"+unknownID, nil).WantProblem(t, fault.Internal)
}
