package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	kept "samla/internal/client"
	"samla/internal/fault"
	"samla/internal/ratelimit"
	"samla/internal/server"
	"samla/internal/wire"
	"samla/internal/wire/wiretest"
)

// unknownID is a well-formed id that does not exist.
const unknownID = "0197b1f0-0000-7000-8000-00000000000a"

// operations calls visit for every operation of the newest version, with unknownID in its
// path.
func (w *env) operations(visit func(op wire.Operation, path string)) {
	visitOperations(w.Contract, visit)
}

func visitOperations(c *wiretest.Contract, visit func(op wire.Operation, path string)) {
	fill := strings.NewReplacer("{userUuid}", unknownID, "{id}", unknownID, "{consentId}", unknownID, "{collectionId}", unknownID, "{accountId}", unknownID)
	for _, op := range c.Operations() {
		visit(op, fill.Replace(op.Pattern))
	}
}

// allOperations calls visit for every operation of every version, with a client that speaks
// it.
func (w *env) allOperations(c client, visit func(c client, op wire.Operation, path string)) {
	for _, contract := range []*wiretest.Contract{w.Contract, w.Older} {
		c.Contract = contract
		visitOperations(contract, func(op wire.Operation, path string) { visit(c, op, path) })
	}
}

// Every route is called with every kind of credential (docs/reference/api.md 1.3,
// section 2). Each comes from an address of its own, because an address that guesses too
// often is slowed down.
func TestRoutes_CheckCredentials(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		u, session := w.acme.person(t)
		deleted, deletedSession := w.acme.person(t)
		w.acme.delete(t, "/users/"+deleted.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		_, revokedKey, err := w.Server.Authn.CreateKey(t.Context(), "Example", "revoked", "")
		if err != nil {
			t.Fatal(err)
		}
		w.Log.Secret("an API key", revokedKey)
		keys, err := w.Server.Authn.ListKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(keys, func(k kept.Key) bool { return k.Name == "revoked" })
		if err := w.Server.Authn.RevokeKey(t.Context(), keys[i].ID); err != nil {
			t.Fatal(err)
		}
		key, token := w.acme.Header.Get("Authorization-Token"), session.Header.Get("Authorization")
		none := w.noCredential()
		cases := map[string]struct {
			client
			kind wire.Credential // None if it is not valid
			want fault.Code      // on every route that requires a credential
		}{
			"key":                {w.acme, wire.APIKey, ""},
			"session":            {session, wire.Session, ""},
			"key of another":     {w.other, wire.APIKey, ""},
			"lower-case scheme":  {none.with("Authorization", "bearer "+strings.TrimPrefix(token, "Bearer ")), wire.Session, ""},
			"empty other header": {w.acme.with("Authorization", " "), wire.APIKey, ""},
			"none":               {none, wire.None, fault.Unauthorized},
			"wrong key":          {none.with("Authorization-Token", key+"x"), wire.None, fault.Unauthorized},
			"revoked key":        {none.with("Authorization-Token", revokedKey), wire.None, fault.Unauthorized},
			"key as bearer":      {none.with("Authorization", "Bearer "+key), wire.None, fault.Unauthorized},
			"token as key":       {none.with("Authorization-Token", strings.TrimPrefix(token, "Bearer ")), wire.None, fault.Unauthorized},
			"basic":              {none.with("Authorization", "Basic QTpC"), wire.None, fault.Unauthorized},
			"cut token":          {none.with("Authorization", token[:len(token)-4]), wire.None, fault.Unauthorized},
			"deleted user":       {deletedSession, wire.None, fault.Unauthorized},
			"both":               {session.with("Authorization-Token", key), wire.None, fault.AmbiguousCredentials},
		}
		for i, name := range slices.Sorted(maps.Keys(cases)) {
			tc := cases[name]
			from := client{tc.From(t, fmt.Sprintf("127.0.0.%d", i+2))}
			w.allOperations(from, func(c client, op wire.Operation, path string) {
				a := c.Do(t, op.Method, path, nil)
				want := tc.want
				if want == "" && !op.Credential.Has(tc.kind) {
					want = fault.Forbidden
				}
				switch {
				case op.Credential == wire.None:
					a.WantStatus(t, http.StatusOK, nil)
				case want != "":
					if p := a.WantProblem(t, want); p.Code == fault.Unauthorized && a.Header.Get("WWW-Authenticate") != "Bearer" {
						t.Errorf("%s, %s: no WWW-Authenticate", name, op.Route())
					}
				case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status >= 500:
					t.Errorf("%s, %s: %d %s", name, op.Route(), a.Status, a.Body)
				}
			})
		}
		w.acme.get(t, "/users/"+u.UserUUID, nil)
	})
}

// The ids of one client or user are unknown to all others: the response is the same, byte
// for byte, as for an id that does not exist.
func TestRoutes_IsolateClientsAndUsers(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session, made := w.authorizedConsent(t, w.acme)
		var begun collectionStatus
		session.post(t, "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID)), &begun)
		session.finalCollection(t, begun.ID)
		own := strings.NewReplacer("{userUuid}", user.UserUUID, "{id}", user.UserUUID, "{consentId}", made.ConsentID, "{collectionId}", begun.ID)
		_, foreign := w.other.person(t)
		_, neighbour := w.acme.person(t)
		tried := 0
		for name, c := range map[string]client{"another client's key": w.other, "its session": foreign, "another user's session": neighbour} {
			c := c.with("X-Request-Id", "fixed")
			w.allOperations(c, func(c client, op wire.Operation, path string) {
				theirs := own.Replace(op.Pattern)
				if theirs == op.Pattern {
					return
				}
				got, missing := c.Do(t, op.Method, theirs, nil), c.Do(t, op.Method, path, nil)
				want := strings.NewReplacer(unknownID, "ID").Replace(string(missing.Body))
				if text := strings.NewReplacer(user.UserUUID, "ID", made.ConsentID, "ID", begun.ID, "ID").Replace(string(got.Body)); text != want ||
					got.Status != missing.Status || got.Status < 400 {
					t.Errorf("%s, %s: %d %s, want %s", name, op.Route(), got.Status, got.Body, missing.Body)
				}
				tried++
			})
			for _, path := range []string{"/collections", "/consents"} {
				if a := c.Do(t, "GET", path, nil); a.Status == 200 && string(a.Body) != "[]" {
					t.Errorf("%s sees at %s %s", name, path, a.Body)
				}
			}
		}
		if tried < 30 {
			t.Errorf("only %d routes tried", tried)
		}
		// The calls changed nothing.
		w.products(t, session, begun.ID)
		var still consentStatus
		if session.get(t, "/consents/"+made.ConsentID+"/status", &still); still.Status != "AUTHORIZED" {
			t.Errorf("the consent is %+v", still)
		}
		w.acme.get(t, "/users/"+user.UserUUID, nil)
	})
}

// A malformed id gets the same response as an id that does not exist.
func TestRoutes_TreatMalformedIDAsUnknown(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session := w.acme.person(t)
		codes := map[string]fault.Code{"/users/": fault.UserNotFound, "/consents/": fault.ConsentNotFound, "/collections/": fault.CollectionNotFound,
			"/wealth/collection/": fault.CollectionNotFound, "/accounts/": fault.AccountNotFound, "/webhook-endpoints/": fault.WebhookEndpointNotFound}
		for _, odd := range []string{"x", "%00", "%ff", "%2e%2e%2f", "'%20or%20'1'='1", strings.ToUpper(unknownID), strings.Repeat("9", 4000), "%F0%9D%84%9E"} {
			w.allOperations(session, func(c client, op wire.Operation, path string) {
				if !strings.Contains(path, unknownID) {
					return
				}
				if op.Credential == wire.APIKey {
					c = w.acme
				}
				for prefix, code := range codes {
					if strings.HasPrefix(path, prefix) {
						c.Do(t, op.Method, strings.ReplaceAll(path, unknownID, odd), nil).WantProblem(t, code)
					}
				}
			})
		}
	})
}

func TestRateLimit_SendsHeadersAndRejects(t *testing.T) {
	w := newEnvWithRate(t, ratelimit.Rate{PerSecond: 0.001, Burst: 5})
	for left := 4; left >= 0; left-- {
		a := w.acme.get(t, "/collections", nil)
		if got := a.Header.Get("RateLimit"); !strings.HasPrefix(got, `"default";r=`+string(rune('0'+left))+";t=") {
			t.Errorf("RateLimit %q", got)
		}
		if got := a.Header.Get("RateLimit-Policy"); got != `"default";q=5;w=5000` {
			t.Errorf("RateLimit-Policy %q", got)
		}
	}
	a := w.acme.Do(t, "GET", "/collections", nil)
	a.WantProblem(t, fault.RateLimited)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.other.get(t, "/collections", nil)
	w.noCredential().get(t, "/healthz", nil)
}

// newEnvWithRate returns an env without banks and with this rate limit.
func newEnvWithRate(t *testing.T, rate ratelimit.Rate) *env {
	t.Helper()
	return newBareEnv(t, server.Config{Rate: rate})
}
