package authserver_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/go-jose/go-jose/v3/jwt"

	"samla/foreign/authserver"
)

// assertion returns the authentication of the client "signs".
func (e *env) assertion() []string {
	e.Helper()
	now := time.Now()
	return []string{
		"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
		"client_assertion", e.sign(map[string]any{"iss": "signs", "sub": "signs", "aud": e.Issuer() + "/token", "jti": now.String(), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix()}),
	}
}

// object returns the claims of a request object.
func (e *env) object() map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": "signs", "aud": e.Issuer(), "client_id": "signs", "response_type": "code id_token", "scope": "openid accounts", "redirect_uri": back,
		"state": state, "nonce": nonce, "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		"claims": map[string]any{"id_token": map[string]any{"openbanking_intent_id": map[string]any{"value": "aac-1", "essential": true}}},
	}
}

func (e *env) hybrid(request string) (int, *url.URL) {
	return e.authorize(url.Values{"client_id": {"signs"}, "response_type": {"code id_token"}, "scope": {"openid accounts"}, "redirect_uri": {back}, "request": {request}})
}

// claims verifies an id_token by the published keys.
func (e *env) claims(text string) map[string]any {
	e.Helper()
	resp, err := e.http.Get(e.Issuer() + "/jwks")
	if err != nil {
		e.Fatal(err)
	}
	var keys jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&keys); err != nil {
		e.Fatal(err)
	}
	_ = resp.Body.Close()
	token, err := jwt.ParseSigned(text)
	if err != nil {
		e.Fatal(err)
	}
	var claims map[string]any
	if err := token.Claims(keys.Key(token.Headers[0].KeyID)[0].Key, &claims); err != nil {
		e.Fatal(err)
	}
	if alg := token.Headers[0].Algorithm; alg != keys.Keys[0].Algorithm {
		e.Errorf("signed with %s", alg)
	}
	return claims
}

func TestServer_AnswersTheHybridFlow(t *testing.T) {
	for _, algorithm := range []string{"PS256", "RS256"} {
		t.Run(algorithm, func(t *testing.T) {
			e := start(t, func(c *authserver.Config) { c.Algorithm, c.StateHash = algorithm, true })
			status, to := e.hybrid(e.sign(e.object()))
			q := fragment(t, to)
			if status != 303 || q.Get("state") != state {
				t.Fatalf("%d %s", status, to)
			}
			claims := e.claims(q.Get("id_token"))
			for name, want := range map[string]any{
				"iss": e.Issuer(), "nonce": nonce, "c_hash": half(q.Get("code")), "s_hash": half(state), "openbanking_intent_id": "aac-1",
			} {
				if claims[name] != want {
					t.Errorf("%s is %v, want %v", name, claims[name], want)
				}
			}
			status, tokens := e.token(e.http, append(e.assertion(), "grant_type", "authorization_code", "code", q.Get("code"), "redirect_uri", back)...)
			if status != 200 || tokens["refresh_token"] == nil || tokens["id_token"] == nil || tokens["token_type"] != "bearer" {
				t.Fatalf("%d %v", status, tokens)
			}
			if got := e.resource(tokens["access_token"]); got["client"] != "signs" {
				t.Errorf("%v", got)
			}
			if status, again := e.token(e.http, append(e.assertion(), "grant_type", "authorization_code", "code", q.Get("code"), "redirect_uri", back)...); status != 400 || again["error"] != "invalid_grant" {
				t.Errorf("the code again: %d %v", status, again)
			}
		})
	}
}

func TestServer_ChecksRequestObjects(t *testing.T) {
	e := start(t, nil)
	other := start(t, nil)
	if status, to := e.hybrid(other.sign(e.object())); status < 300 || to != nil && fragment(t, to).Get("error") == "" {
		t.Errorf("of another key: %d %v", status, to)
	}
	wrong := e.object()
	wrong["redirect_uri"] = back + "2"
	if status, to := e.hybrid(e.sign(wrong)); status != 400 || to != nil {
		t.Errorf("another address: %d %v", status, to)
	}
}

func TestServer_RefusesForThePerson(t *testing.T) {
	e := start(t, func(c *authserver.Config) { c.Refuse = true })
	_, to := e.hybrid(e.sign(e.object()))
	if q := fragment(t, to); q.Get("error") != "access_denied" || q.Get("state") != state || q.Has("code") {
		t.Errorf("%s", to)
	}
}

func TestServer_GivesTokensToClients(t *testing.T) {
	e := start(t, nil)
	status, tokens := e.token(e.http, append(e.assertion(), "grant_type", "client_credentials", "scope", "accounts")...)
	if status != 200 || tokens["access_token"] == nil {
		t.Errorf("%d %v", status, tokens)
	}
	if status, tokens = e.token(e.as(""), append(e.assertion(), "grant_type", "client_credentials", "scope", "accounts")...); status != 401 || tokens["error"] != "invalid_client" {
		t.Errorf("without a certificate: %d %v", status, tokens)
	}
	if status, _ = e.token(e.http, "grant_type", "client_credentials", "scope", "AIS:c1", "client_id", "PSDSE-FINA-1"); status != 200 {
		t.Errorf("by its certificate: %d", status)
	}
	if status, tokens = e.token(e.as("PSDSE-FINA-2"), "grant_type", "client_credentials", "scope", "AIS:c1", "client_id", "PSDSE-FINA-1"); status != 401 {
		t.Errorf("by another certificate: %d %v", status, tokens)
	}
}

// docs/reference/families.md 2.3.
func TestServer_AnswersTheCodeFlowWithPKCE(t *testing.T) {
	e := start(t, func(c *authserver.Config) { c.PKCE = true })
	code := func(pairs ...string) string {
		t.Helper()
		q := url.Values{
			"client_id": {"PSDSE-FINA-1"}, "response_type": {"code"}, "scope": {"ais:c-1"}, "redirect_uri": {back}, "state": {state},
			"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
		}
		for i := 0; i < len(pairs); i += 2 {
			q.Set(pairs[i], pairs[i+1])
		}
		_, to := e.authorize(q)
		if to == nil || to.Query().Get("state") != state {
			t.Fatalf("sent to %v", to)
		}
		return to.Query().Get("code")
	}
	exchange := func(code, verifier string) (int, map[string]any) {
		return e.token(e.http, "grant_type", "authorization_code", "client_id", "PSDSE-FINA-1", "code", code, "redirect_uri", back, "code_verifier", verifier)
	}
	status, tokens := exchange(code(), verifier)
	if status != 200 || tokens["scope"] != "ais:c-1" {
		t.Fatalf("%d %v", status, tokens)
	}
	refresh, _ := tokens["refresh_token"].(string)
	status, next := e.token(e.http, "grant_type", "refresh_token", "client_id", "PSDSE-FINA-1", "refresh_token", refresh)
	if status != 200 || next["refresh_token"] == refresh {
		t.Errorf("refresh: %d %v", status, next)
	}
	if status, again := e.token(e.http, "grant_type", "refresh_token", "client_id", "PSDSE-FINA-1", "refresh_token", refresh); status != 400 || again["error"] != "invalid_grant" {
		t.Errorf("refresh again: %d %v", status, again)
	}
	one := code()
	if status, _ = exchange(one, verifier+"x"); status != 400 {
		t.Errorf("a wrong verifier: %d", status)
	}
	if status, _ = exchange(one, verifier); status != 400 {
		t.Errorf("then the right one: %d", status)
	}
	if got := code("code_challenge_method", "plain"); got != "" {
		t.Error("plain is accepted")
	}
	if got := code("code_challenge", ""); got != "" {
		t.Error("no challenge is accepted")
	}
	if got := code("scope", "payments"); got != "" {
		t.Error("another scope is accepted")
	}
}

func TestServer_PublishesMetadataAndCalls(t *testing.T) {
	e := start(t, nil)
	resp, err := e.http.Get(e.Issuer() + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	if m := e.read(resp); m["issuer"] != e.Issuer() || m["token_endpoint"] != e.Issuer()+"/token" {
		t.Errorf("%v", m)
	}
	if resp, err = e.http.Get(e.Issuer() + "/calls"); err != nil {
		t.Fatal(err)
	}
	if calls := e.read(resp); calls["metadata"] != 1.0 {
		t.Errorf("%v", calls)
	}
}

func TestStart_RefusesWhatItCannotServe(t *testing.T) {
	for name, c := range map[string]authserver.Config{"no certificate": {}, "nothing": {Certificate: "x", Key: "y"}} {
		if s, err := authserver.Start(t.Context(), c); err == nil {
			_ = s.Stop()
			t.Errorf("%s: it serves", name)
		}
	}
}
