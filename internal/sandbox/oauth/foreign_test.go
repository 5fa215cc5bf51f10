package oauth_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	foreign "golang.org/x/oauth2"
	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/sandbox/oauth"
)

// golang.org/x/oauth2 is a client that somebody else wrote.
func TestServer_WorksWithAForeignClient(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating, AccessLife: time.Minute, Issuer: true})
	client := foreign.Config{
		ClientID: clientID, RedirectURL: back, Scopes: []string{"AIS:c1"},
		Endpoint: foreign.Endpoint{AuthURL: "https://bank.example/authorize", TokenURL: e.http.URL, AuthStyle: foreign.AuthStyleInParams},
	}
	secret := foreign.GenerateVerifier()
	r := mustRequest(t, client.AuthCodeURL("s1", foreign.S256ChallengeOption(secret)))
	req, refused := e.Authorize(r, rules)
	if refused != nil {
		t.Fatal(refused)
	}
	code, err := e.Code(req, "c1")
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.Exchange(t.Context(), code, foreign.VerifierOption(secret))
	if err != nil {
		t.Fatal(err)
	}
	e.check(token.AccessToken, nil)
	token.Expiry = time.Now().Add(-time.Minute)
	next, err := client.TokenSource(t.Context(), token).Token()
	if err != nil {
		t.Fatal(err)
	}
	e.check(next.AccessToken, nil)
	if next.RefreshToken == token.RefreshToken {
		t.Error("not rotated")
	}
	_, err = client.TokenSource(t.Context(), token).Token()
	var failed *foreign.RetrieveError
	if !errors.As(err, &failed) || failed.ErrorCode != "invalid_grant" {
		t.Errorf("got %v", err)
	}
}

// Whatever a client sends in any order: a code and a refresh token give tokens once at
// most, and after a second use nothing of the grant is alive.
func TestServer_KeepsInvariants(t *testing.T) {
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		e := start(outer, oauth.Policy{Refresh: oauth.Rotating, AccessLife: time.Minute})
		defer e.http.Close()
		type family struct{ dead bool }
		codes, refreshes, accesses := map[string]*family{}, map[string]*family{}, map[string]*family{}
		used := map[string]bool{}
		var pool []string
		keep := func(a answer, f *family) {
			refreshes[a.refresh], accesses[a.access] = f, f
			pool = append(pool, a.refresh)
		}
		t.Repeat(map[string]func(*rapid.T){
			"code": func(*rapid.T) {
				c := e.code()
				codes[c] = &family{}
				pool = append(pool, c)
			},
			"redeem": func(t *rapid.T) {
				if len(pool) == 0 {
					t.Skip("nothing")
				}
				s := rapid.SampledFrom(pool).Draw(t, "code")
				good := rapid.Bool().Draw(t, "good verifier")
				form := redemption(s)
				if !good {
					form.Set("code_verifier", challenge(verifier))
				}
				f := codes[s]
				a := e.token(form)
				if want := f != nil && !used[s] && good && !f.dead; want != (a.access != "") {
					t.Fatalf("redeemed %v, want %v", a.access != "", want)
				}
				if f != nil {
					f.dead = f.dead || used[s]
					used[s] = true
				}
				if a.access != "" {
					keep(a, f)
				}
			},
			"refresh": func(t *rapid.T) {
				if len(pool) == 0 {
					t.Skip("nothing")
				}
				s := rapid.SampledFrom(pool).Draw(t, "token")
				f := refreshes[s]
				a := e.token(refreshing(s))
				if want := f != nil && !used[s] && !f.dead; want != (a.access != "") {
					t.Fatalf("refreshed %v, want %v", a.access != "", want)
				}
				if f != nil {
					f.dead = f.dead || used[s]
					used[s] = true
				}
				if a.access != "" {
					keep(a, f)
				}
			},
			"restart": func(*rapid.T) { e.restart() },
			"": func(t *rapid.T) {
				for token, f := range accesses {
					if _, err := e.Check("Bearer "+token, nil); f.dead && err == nil {
						t.Fatal("a token of a dead grant is alive")
					}
				}
			},
		})
	})
}

// Whatever a browser brings: it is sent to the registered address only, and what it brought
// comes back as it was.
func FuzzAuthorize(f *testing.F) {
	f.Add(query().Encode())
	f.Add(query("code_challenge", "", "state", "&state=x#").Encode())
	f.Add("client_id=a&client_id=b&redirect_uri=%zz")
	s, err := oauth.New(oauth.Config{Clock: clock.NewManual(time.Unix(0, 0)), Policy: oauth.Policy{Issuer: true}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		r, refused := s.Authorize(q, rules)
		if r == (oauth.Request{}) {
			if refused == nil {
				t.Fatal("an empty request is accepted")
			}
			return
		}
		to := r.Success("c")
		if refused != nil {
			to = r.Failure(refused)
		}
		u, err := url.Parse(to)
		if err != nil || u.Host != "client.example" || u.Path != "/callback/x" {
			t.Fatalf("the browser is sent to %q", to)
		}
		if got := u.Query(); got.Get("state") != q.Get("state") || got.Get("one") != "1" || len(got["state"]) > 1 || (got.Get("code") == "") != (refused != nil) {
			t.Fatalf("%q comes back as %q", raw, to)
		}
	})
}
