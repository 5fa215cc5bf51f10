package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"samla/internal/sandbox"
	"samla/internal/sandbox/pki"
	"samla/internal/visitor"
)

func TestOAuth_Integrated(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	created, c := p.beginOAuth()
	id, address := created.text("consentId"), created.text("_links", "scaOAuth", "href")
	if address != w.URL()+"/se-demo-oauth/oauth/configuration.json" || created.at("_links", "scaRedirect") != nil || created.header.Get("ASPSP-SCA-Approach") != "REDIRECT" {
		t.Fatalf("%s", created.body)
	}
	m := p.metadata(address)
	if !m.Iss || len(m.Methods) != 1 || m.Methods[0] != "S256" || m.Issuer != w.URL()+"/se-demo-oauth" {
		t.Errorf("%+v", m)
	}
	to := w.walk(w.browser(), c.link("s1"), visitor.Person{Number: maja, Phone: visitor.Approve})
	q := to.Query()
	if q.Get("state") != "s1" || q.Get("iss") != m.Issuer || q.Get("one") != "2" || q.Get("code") == "" {
		t.Fatalf("returned to %s", to)
	}
	if p.status(id) != "valid" || p.call("GET", created.text("_links", "scaStatus", "href"), "").text("scaStatus") != "finalised" {
		t.Errorf("status %s", p.status(id))
	}
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_INVALID")
	token, err := c.exchange(q.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if token.TokenType != "Bearer" || token.RefreshToken == "" || token.Extra("scope") != "AIS:"+id {
		t.Errorf("%+v", token)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	p.call("GET", "accounts", "").wantError(400, "FORMAT_ERROR")

	w.clock.Advance(10 * time.Minute)
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_EXPIRED")
	next, err := c.refresh(token.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	_, err = c.refresh(token.RefreshToken)
	wantOAuthError(t, err, "invalid_grant")
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_INVALID")
	_, err = c.refresh(next.RefreshToken)
	wantOAuthError(t, err, "invalid_grant")
	calls := w.Bank("se-demo-oauth").Calls()
	if calls.Count("token authorization_code") != 1 || calls.Count("token refresh_token") != 3 || calls.Count("authorize") != 1 || calls.Count("metadata") != 2 {
		t.Errorf("%v", calls.Counts())
	}
}

// The end of the consent is the end of its tokens, whoever ends it.
func TestOAuth_TokensEndWithTheConsent(t *testing.T) {
	for _, how := range []string{"person", "tpp", "newer"} {
		w := start(t, nil)
		p := w.tpp("se-demo-oauth")
		get := func() (string, *client, *oauth2.Token) {
			created, c := p.beginOAuth()
			to := w.walk(w.browser(), c.link("s"), habit(t, "approves in BankID and on the page"))
			token, err := c.exchange(to.Query().Get("code"))
			if err != nil {
				t.Fatal(err)
			}
			return created.text("consentId"), c, token
		}
		id, c, token := get()
		switch how {
		case "person":
			if _, err := w.Bank("se-demo-oauth").Revoke(id); err != nil {
				t.Fatal(err)
			}
		case "tpp":
			p.call("DELETE", "consents/"+id, "").want(204)
		case "newer":
			get()
		}
		p.bearer = token.AccessToken
		p.call("GET", "accounts", "", "Consent-ID", id).want(401)
		_, err := c.refresh(token.RefreshToken)
		wantOAuthError(t, err, "invalid_grant")
	}
}

// Requests that the authorization server refuses: the browser stays where the address cannot
// be trusted, and goes back with an error otherwise.
func TestOAuth_RefusesRequests(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	created, c := p.beginOAuth()
	id := created.text("consentId")
	other := p.create(allAccounts).text("consentId")
	for name, tt := range map[string]struct{ parameter, value, want string }{
		"another address":     {"redirect_uri", "https://attacker.example/", "stays"},
		"longer address":      {"redirect_uri", back + "&x=1", "stays"},
		"another client":      {"client_id", "PSDSE-FINA-1", "stays"},
		"unknown consent":     {"scope", "AIS:" + uuidOf(1), "stays"},
		"no scope":            {"scope", "", "stays"},
		"two scopes":          {"scope", "AIS:" + id + " AIS:" + other, "stays"},
		"no state":            {"state", "", "invalid_request"},
		"plain":               {"code_challenge_method", "plain", "invalid_request"},
		"no challenge":        {"code_challenge", "", "invalid_request"},
		"token":               {"response_type", "token", "unsupported_response_type"},
		"small letters":       {"scope", "ais:" + id, ""},
		"offline access":      {"scope", "AIS:" + strings.ToUpper(id) + " offline_access", ""},
		"further parameters":  {"ui_locales", "sv", ""},
		"consent of the same": {"scope", "AIS:" + other, ""},
	} {
		u, _ := url.Parse(c.link("s"))
		q := u.Query()
		q.Set(tt.parameter, tt.value)
		if tt.value == "" {
			q.Del(tt.parameter)
		}
		u.RawQuery = q.Encode()
		got := ""
		a, err := w.browser().Get(t.Context(), u.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		switch to, _ := url.Parse(a.Header.Get("Location")); {
		case a.StatusCode == 400:
			got = "stays"
		case to.Host == "client.example":
			got = to.Query().Get("error")
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	w.clock.Advance(15 * time.Minute)
	if to := w.walk(w.browser(), c.link("late"), visitor.Person{}); to.Query().Get("error") != "invalid_scope" || to.Query().Get("state") != "late" {
		t.Errorf("too late: %s", to)
	}
	if n := w.Bank("se-demo-oauth").Calls().Count("token authorization_code"); n != 0 {
		t.Errorf("%d token requests", n)
	}
}

func uuidOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// The ends of a login: what comes back with the browser.
func TestOAuth_EndsByHabit(t *testing.T) {
	for person, want := range map[string]string{
		"approves in BankID and on the page":          "",
		"cancels in BankID":                           "access_denied",
		"approves in BankID and refuses on the page":  "access_denied",
		"meets a technical error of the bank":         "server_error",
		"has a blocked BankID":                        "server_error",
		"approves on the page and closes the browser": "stays",
	} {
		w := start(t, nil)
		p := w.tpp("se-demo-oauth")
		created, c := p.beginOAuth()
		b := w.browser()
		to := w.walk(b, c.link("s1"), habit(t, person))
		got := to.Query().Get("error")
		if to.Host == "" {
			got = "stays"
		}
		if got != want || want != "stays" && to.Query().Get("state") != "s1" {
			t.Errorf("%s: %s", person, to)
		}
		if status := p.status(created.text("consentId")); (status == "valid") != (want == "" || want == "stays") {
			t.Errorf("%s: consent %s", person, status)
		}
		if want == "stays" {
			continue
		}
		// Reload and back show the first outcome; another request comes too late.
		if again := w.walk(b, c.link("s1"), visitor.Person{}); again.String() != to.String() {
			t.Errorf("%s: then %s", person, again)
		}
		if other := w.walk(w.browser(), c.link("s2"), habit(t, person)); other.Query().Get("error") != "invalid_scope" || other.Query().Get("state") != "s2" {
			t.Errorf("%s: another request: %s", person, other)
		}
	}
}

// A second authorization request for a consent that waits starts another login, and the
// first one is over.
func TestOAuth_AnotherRequestStartsAgain(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	_, c := p.beginOAuth()
	b := w.browser()
	a, err := b.Get(t.Context(), c.link("s1"))
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	first := a.Header.Get("Location")
	to := w.walk(w.browser(), c.link("s2"), habit(t, "approves in BankID and on the page"))
	if to.Query().Get("state") != "s2" {
		t.Fatalf("returned to %s", to)
	}
	if old, err := b.Get(t.Context(), w.URL()+first); err != nil || old.StatusCode != 404 {
		t.Errorf("the first login: %v %v", old.StatusCode, err)
	} else {
		_ = old.Body.Close()
	}
	if _, err := c.exchange(to.Query().Get("code")); err != nil {
		t.Error(err)
	}
}

// Codes: once, with the right verifier, by the TPP of the consent, with its certificate.
func TestOAuth_ChecksTokenRequests(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	code := func(c *client) string {
		return w.walk(w.browser(), c.link("s"), habit(t, "approves in BankID and on the page")).Query().Get("code")
	}
	_, c := p.beginOAuth()
	wrong := code(c)
	right := c.verifier
	c.verifier = oauth2.GenerateVerifier()
	_, err := c.exchange(wrong)
	wantOAuthError(t, err, "invalid_grant")
	c.verifier = right
	_, err = c.exchange(wrong)
	wantOAuthError(t, err, "invalid_grant")

	// The code of another session, with the verifier of this one.
	_, one := p.beginOAuth()
	_, two := p.beginOAuth()
	_, err = one.exchange(code(two))
	wantOAuthError(t, err, "invalid_grant")

	// Another TPP's certificate, and none.
	_, c = p.beginOAuth()
	mine := code(c)
	foreign, err := w.CA().Issue(changed(pki.QWAC(), func(s *pki.Spec) { s.Organization = "PSDSE-FINA-1" }))
	if err != nil {
		t.Fatal(err)
	}
	_, seal := w.TPP()
	thief := &client{w.tppWith("se-demo-oauth", certificates(foreign), seal), c.Config, c.verifier}
	_, err = thief.exchange(mine)
	wantOAuthError(t, err, "invalid_client")
	thief.ClientID = "PSDSE-FINA-1"
	_, err = thief.exchange(mine)
	wantOAuthError(t, err, "invalid_grant")
	thief.http = w.tppWith("se-demo-oauth", nil, seal).http
	_, err = thief.exchange(mine)
	wantOAuthError(t, err, "invalid_client")
	token, err := c.exchange(mine)
	if err != nil {
		t.Fatal(err)
	}

	// The token is bound to the certificate: another one of the same TPP cannot use it.
	renewed, err := w.CA().Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	later := &client{w.tppWith("se-demo-oauth", certificates(renewed), seal), c.Config, c.verifier}
	later.bearer = token.AccessToken
	later.call("GET", "accounts", "", "Consent-ID", strings.TrimPrefix(c.Scopes[0], "AIS:")).wantError(401, "TOKEN_INVALID")
	_, err = later.refresh(token.RefreshToken)
	wantOAuthError(t, err, "invalid_grant")
}

// A token is for its own consent only.
func TestOAuth_TokenIsForItsConsent(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	get := func(person string) (string, string) {
		created, c := p.beginOAuth()
		to := w.walk(w.browser(), c.link("s"), visitor.Person{Number: person, Phone: visitor.Approve})
		if _, err := c.exchange(to.Query().Get("code")); err != nil {
			t.Fatal(err)
		}
		return created.text("consentId"), p.bearer
	}
	majas, majasToken := get(maja)
	esters, estersToken := get(ester)
	for _, c := range []struct {
		consent, token string
		status         int
	}{{majas, majasToken, 200}, {esters, estersToken, 200}, {majas, estersToken, 401}, {esters, majasToken, 401}} {
		p.bearer = c.token
		p.call("GET", "accounts", "", "Consent-ID", c.consent).want(c.status)
	}
}

// With a confirmation: an empty body and the token of the consent. This bank accepts plain
// challenges, and tells neither the life nor the scope of its tokens, nor gives a refresh
// token.
func TestOAuth_Confirmation(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-confirm")
	created, c := p.beginOAuth()
	id, confirmation := created.text("consentId"), created.text("_links", "confirmation", "href")
	q, _ := url.Parse(c.link("s"))
	query := q.Query()
	query.Set("code_challenge", c.verifier)
	query.Set("code_challenge_method", "plain")
	q.RawQuery = query.Encode()
	to := w.walk(w.browser(), q.String(), visitor.Person{Number: maja, Phone: visitor.Approve})
	sca := func() string { return p.call("GET", created.text("_links", "scaStatus", "href"), "").text("scaStatus") }
	if sca() != "unconfirmed" || p.status(id) != "received" {
		t.Errorf("%s, %s", sca(), p.status(id))
	}
	p.call("PUT", confirmation, "").wantError(401, "TOKEN_INVALID")
	token, err := c.exchange(to.Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken != "" || !token.Expiry.IsZero() || token.Extra("scope") != nil {
		t.Errorf("%+v", token)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	p.call("PUT", confirmation, `{}`).wantError(400, "FORMAT_ERROR")
	mine := p.bearer
	p.bearer = "other"
	p.call("PUT", confirmation, "").wantError(401, "TOKEN_INVALID")
	p.bearer = mine
	if got := p.call("PUT", confirmation, "").want(200).text("scaStatus"); got != "finalised" || p.status(id) != "valid" {
		t.Errorf("%s, %s", got, p.status(id))
	}
	p.call("PUT", confirmation, "").wantError(409, "STATUS_INVALID")
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
}

// Codes and tokens survive a restart between any two steps.
func TestRestart_KeepsCodesAndTokens(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	created, c := w.tpp("se-demo-oauth").beginOAuth()
	code := w.walk(w.browser(), c.link("s"), habit(t, "approves in BankID and on the page")).Query().Get("code")
	again := func() {
		w, dir = w.reopen(dir, true)
		next := w.tpp("se-demo-oauth")
		next.bearer = c.bearer
		c.tpp = next
		base := w.URL() + "/se-demo-oauth/oauth"
		c.Endpoint.TokenURL = base + "/token"
	}
	again()
	token, err := c.exchange(code)
	if err != nil {
		t.Fatal(err)
	}
	again()
	c.call("GET", "accounts", "", "Consent-ID", created.text("consentId")).want(200)
	if _, err := c.refresh(token.RefreshToken); err != nil {
		t.Error(err)
	}
	again()
	_, err = c.refresh(token.RefreshToken)
	wantOAuthError(t, err, "invalid_grant")
}

// An operator shortens the life of tokens, and makes the token endpoint fail.
func TestOperator_ChangesTokens(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-oauth")
	send := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, w.URL()+"/sandbox/banks/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Body.Close() }()
		text, _ := io.ReadAll(a.Body)
		return a.StatusCode, string(text)
	}
	for _, bad := range []string{`{"refresh":"sometimes"}`, `{"fault":"x"}`, `{"x":1}`, `[`} {
		if status, _ := send("PUT", "se-demo-oauth/tokens", bad); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
	for path, want := range map[string]int{"se-demo-psd2/tokens": 404, "nothing/tokens": 404, "nothing/calls": 404} {
		if status, _ := send("GET", path, ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, text := send("PUT", "se-demo-oauth/tokens", `{"accessSeconds":30,"graceSeconds":60,"fault":"unavailable","times":1}`); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	if _, text := send("GET", "se-demo-oauth/tokens", ""); !strings.Contains(text, `"accessSeconds":30,"graceSeconds":60,"refresh":"rotating"`) {
		t.Error(text)
	}
	created, c := p.beginOAuth()
	code := w.walk(w.browser(), c.link("s"), habit(t, "approves in BankID and on the page")).Query().Get("code")
	if _, err := c.exchange(code); err == nil {
		t.Fatal("the fault does not show")
	}
	token, err := c.exchange(code)
	if err != nil {
		t.Fatal(err)
	}
	id := created.text("consentId")
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	if status, _ := send("POST", "se-demo-oauth/tokens/expire", ""); status != 204 {
		t.Error(status)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_EXPIRED")
	if _, err := c.refresh(token.RefreshToken); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(30 * time.Second)
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "TOKEN_EXPIRED")
	if _, text := send("GET", "se-demo-oauth/calls", ""); !strings.Contains(text, `"token authorization_code":2`) || strings.Contains(text, id) {
		t.Error(text)
	}
}
