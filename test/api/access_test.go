package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	kept "samla/internal/client"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/ratelimit"
	"samla/internal/seal/keyset"
	"samla/internal/server"
	"samla/internal/wire"
	"samla/test/harness"
)

// nobody is an id that nothing has.
const nobody = "0197b1f0-0000-7000-8000-00000000000a"

// paths lists every operation with an id of nobody in its path.
func (w *world) paths(visit func(op wire.Operation, path string)) {
	fill := strings.NewReplacer("{userUuid}", nobody, "{id}", nobody, "{consentId}", nobody, "{collectionId}", nobody)
	for _, op := range w.Contract.Operations() {
		visit(op, fill.Replace(op.Pattern))
	}
}

// Every route against every kind of credential (docs/reference/api.md 1.3, section 2).
func TestCredentials(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		u, session := w.acme.person(t)
		gone, goneSession := w.acme.person(t)
		w.acme.remove(t, "/users/"+gone.UserUUID).Is(t, http.StatusNoContent, nil)
		_, revokedKey, err := w.Server.Authn.CreateKey(t.Context(), "local", "revoked", "")
		if err != nil {
			t.Fatal(err)
		}
		w.Journal.Secret("an API key", revokedKey)
		keys, err := w.Server.Authn.ListKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(keys, func(k kept.Key) bool { return k.Name == "revoked" })
		if err := w.Server.Authn.RevokeKey(t.Context(), keys[i].ID); err != nil {
			t.Fatal(err)
		}
		key, token := w.acme.Header.Get("Authorization-Token"), session.Header.Get("Authorization")
		none := w.anyone()
		for name, c := range map[string]struct {
			client
			kind wire.Credential // what it is, None for what opens nothing
			want fault.Code      // on every route that asks for a credential
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
			"user is gone":       {goneSession, wire.None, fault.Unauthorized},
			"both":               {session.with("Authorization-Token", key), wire.None, fault.AmbiguousCredentials},
		} {
			w.paths(func(op wire.Operation, path string) {
				a := c.Do(t, op.Method, path, nil)
				want := c.want
				if want == "" && !op.Credential.Has(c.kind) {
					want = fault.Forbidden
				}
				switch {
				case op.Credential == wire.None:
					a.Is(t, http.StatusOK, nil)
				case want != "":
					if p := a.Fails(t, want); p.Code == fault.Unauthorized && a.Header.Get("WWW-Authenticate") != "Bearer" {
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

// The ids of one client, and of one user, are unknown to every other: the answer
// is the one for an id that does not exist, byte for byte.
func TestIsolation(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		w.secretsOfMaja()
		user, session, made := w.authorized(t, w.acme)
		var begun collectionStatus
		session.post(t, "/collections", ask(demo, "", attended(made.ConsentID)), &begun)
		session.finished(t, begun.ID)
		own := strings.NewReplacer("{userUuid}", user.UserUUID, "{id}", user.UserUUID, "{consentId}", made.ConsentID, "{collectionId}", begun.ID)
		_, foreign := w.other.person(t)
		_, neighbour := w.acme.person(t)
		tried := 0
		for name, c := range map[string]client{"another client's key": w.other, "its session": foreign, "another user's session": neighbour} {
			c := c.with("X-Request-Id", "fixed")
			w.paths(func(op wire.Operation, path string) {
				theirs := own.Replace(op.Pattern)
				if theirs == op.Pattern {
					return
				}
				got, missing := c.Do(t, op.Method, theirs, nil), c.Do(t, op.Method, path, nil)
				want := strings.NewReplacer(nobody, "ID").Replace(string(missing.Body))
				if text := strings.NewReplacer(user.UserUUID, "ID", made.ConsentID, "ID", begun.ID, "ID").Replace(string(got.Body)); text != want ||
					got.Status != missing.Status || got.Status < 400 {
					t.Errorf("%s, %s: %d %s instead of %s", name, op.Route(), got.Status, got.Body, missing.Body)
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
		// Nothing of it did any harm.
		w.products(t, session, begun.ID)
		var still consentStatus
		if session.get(t, "/consents/"+made.ConsentID+"/status", &still); still.Status != "AUTHORIZED" {
			t.Errorf("the consent is %+v", still)
		}
		w.acme.get(t, "/users/"+user.UserUUID, nil)
	})
}

// Text that is no id is answered as an id that does not exist.
func TestOddIDs(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		_, session := w.acme.person(t)
		codes := map[string]fault.Code{"/users/": fault.UserNotFound, "/consents/": fault.ConsentNotFound, "/collections/": fault.CollectionNotFound}
		for _, odd := range []string{"x", "%00", "%ff", "%2e%2e%2f", "'%20or%20'1'='1", strings.ToUpper(nobody), strings.Repeat("9", 4000), "%F0%9D%84%9E"} {
			w.paths(func(op wire.Operation, path string) {
				if !strings.Contains(path, nobody) {
					return
				}
				c := session
				if op.Credential == wire.APIKey {
					c = w.acme
				}
				for prefix, code := range codes {
					if strings.HasPrefix(path, prefix) {
						c.Do(t, op.Method, strings.ReplaceAll(path, nobody, odd), nil).Fails(t, code)
					}
				}
			})
		}
	})
}

func TestRateLimit(t *testing.T) {
	w := newLimited(t, ratelimit.Rate{PerSecond: 0.001, Burst: 5})
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
	a.Fails(t, fault.RateLimited)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.other.get(t, "/collections", nil)
	w.anyone().get(t, "/healthz", nil)
}

// newLimited is a world without banks whose clients may call that fast.
func newLimited(t *testing.T, rate ratelimit.Rate) *world {
	t.Helper()
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", Database: t.TempDir(), Rate: rate},
		server.Parts{Clock: clock.System(), Log: slog.New(slog.DiscardHandler), Master: master})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{World: harness.New(t, &devserver.Environment{Server: s})}
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
