package xs2a_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/consent"
	"samla/internal/eidas"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// codeBank is a bank whose consents are signed with a code of OAuth 2.0. Its authorization
// server is at the same host, at an address that no rule builds.
type codeBank struct {
	*scriptedBank
	token   http.HandlerFunc // of the token endpoint
	confirm string           // of the consent's links
}

const (
	metadataPath = "/login/of/persons/metadata.json"
	tokenPath    = "/login/token"
)

const wholeTokens = `{"access_token":"at-1","token_type":"bearer","expires_in":3600,"refresh_token":"rt-1","scope":"ais:c1 offline_access"}`

func newCodeBank(t *testing.T, change func(*xs2a.Config), more map[string]http.HandlerFunc) *codeBank {
	t.Helper()
	b := &codeBank{token: responds(200, wholeTokens)}
	answers := map[string]http.HandlerFunc{
		"POST /psd2/v1/consents": func(w http.ResponseWriter, r *http.Request) {
			responds(201, `{"consentStatus":"received","consentId":"c1","_links":{"self":{"href":"/psd2/v1/consents/c1"},
				"scaStatus":{"href":"`+plainLink+`"},"scaOAuth":{"href":"`+b.server.URL+metadataPath+`"}`+b.confirm+`}}`)(w, r)
		},
		"GET " + metadataPath: func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": b.server.URL + "/login", "authorization_endpoint": "https://login.bank.example/authorize?brand=1",
				"token_endpoint": b.server.URL + tokenPath, "authorization_response_iss_parameter_supported": false})
		},
		"POST " + tokenPath: func(w http.ResponseWriter, r *http.Request) { b.token(w, r) },
	}
	for route, answer := range more {
		answers[route] = answer
	}
	b.scriptedBank = newScriptedBank(t, signsBy("oauth", func(c *xs2a.Config) {
		if change != nil {
			change(c)
		}
	}), routes(answers))
	return b
}

// open opens a consent, and returns its authorization.
func (b *codeBank) open(t *testing.T) institution.Authorization {
	t.Helper()
	opened, err := b.OpenConsent(t.Context(), pageRequest())
	if err != nil || opened.Started == nil || opened.Started.Instructions == nil {
		t.Fatalf("got %+v, %v", opened, err)
	}
	return *opened.Started
}

// posts returns the token requests so far.
func (b *codeBank) posts() (forms []url.Values) {
	for _, r := range b.requests() {
		if r.method == http.MethodPost && r.path == tokenPath {
			form, _ := url.ParseQuery(r.body)
			forms = append(forms, form)
		}
	}
	return forms
}

func organization(t *testing.T) string {
	t.Helper()
	set, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	return eidas.OrganizationIdentifier(set.QWAC.Leaf)
}

// The challenge and its method are those of RFC 7636, and not of the standard's example
// (docs/reference/families.md 2.3, traps).
func TestOAuth_SendsThePersonToTheServer(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	a := b.open(t)
	page, err := url.Parse(a.Instructions.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"brand": {"1"}, "response_type": {"code"}, "client_id": {organization(t)}, "scope": {"AIS:c1"}, "state": {theWay.State},
		"redirect_uri": {theWay.Return}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}}
	if diff := cmp.Diff(want, page.Query()); diff != "" || page.Host != "login.bank.example" {
		t.Errorf("%s at %s", diff, page.Host)
	}
	if !a.Silent || a.ID != "a1" {
		t.Errorf("got %+v", a)
	}
	if strings.Contains(a.Instructions.RedirectURL, theWay.Verifier) {
		t.Error("the verifier is in the address")
	}
	if h := b.requests()[0].header; h.Get("TPP-Redirect-URI") != theWay.Return || h.Get("TPP-Nok-Redirect-URI") != "" {
		t.Errorf("another address of return than the server gets: %v", h)
	}
	for _, r := range b.requests() {
		if strings.HasPrefix(r.path, "/login/") && (r.header.Get("Signature") != "" || r.header.Get("Digest") != "") {
			t.Errorf("%s is signed", r.path)
		}
	}
}

func TestOAuth_ExchangesTheCode(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	a := b.open(t)
	got, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de&state=st-8a41"))
	want := institution.Completed{State: institution.AuthorizationDone,
		Tokens: &institution.Tokens{Access: "at-1", Refresh: b.server.URL + tokenPath + " rt-1", Until: noon.Add(time.Hour)}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	forms := b.posts()
	sent := url.Values{"grant_type": {"authorization_code"}, "client_id": {organization(t)}, "code": {"c0de"}, "redirect_uri": {theWay.Return}, "code_verifier": {theWay.Verifier}}
	if diff := cmp.Diff([]url.Values{sent}, forms); diff != "" {
		t.Error(diff)
	}
	if id := b.last(t).header.Get("X-Request-ID"); id != requestID {
		t.Errorf("X-Request-ID %q", id)
	}
}

// A refresh goes to the server that the bank's answer had named, and keeps what is not
// replaced.
func TestRefresh_GoesToTheServerOfTheConsent(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	kept := b.server.URL + tokenPath + " rt-1"
	access := institution.Access{ConsentID: "c1", Token: "at-1", Refresh: kept}
	b.token = responds(200, `{"access_token":"at-2","token_type":"Bearer","refresh_token":"rt-2"}`)
	got, err := b.Refresh(t.Context(), access)
	if diff := cmp.Diff(institution.Tokens{Access: "at-2", Refresh: b.server.URL + tokenPath + " rt-2"}, got); err != nil || diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
	if form := b.posts()[0]; form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != "rt-1" || form.Get("client_id") != organization(t) {
		t.Errorf("sent %v", form)
	}
	b.token = responds(200, `{"access_token":"at-3","token_type":"Bearer"}`)
	if got, err = b.Refresh(t.Context(), access); err != nil || (consent.Tokens{Refresh: kept}).Replaced(got).Refresh != kept {
		t.Errorf("got %+v, %v", got, err)
	}
	for status, kind := range map[int]institution.ErrorKind{400: institution.ConsentGone, 401: institution.CertificateRejected, 503: institution.Unreachable} {
		b.token = responds(status, map[int]string{400: `{"error":"invalid_grant"}`, 401: `{"error":"invalid_client"}`}[status])
		if _, err := b.Refresh(t.Context(), access); err == nil || institution.KindOf(err) != kind {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// What is kept cannot make us call another host.
func TestRefresh_CallsOnlyHostsOfTheConfiguration(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	for refresh, kind := range map[string]institution.ErrorKind{
		"https://evil.example/token rt-1": institution.ForeignAddress, "": institution.Refused, b.server.URL + " ": institution.Refused,
	} {
		if _, err := b.Refresh(t.Context(), institution.Access{ConsentID: "c1", Refresh: refresh}); err == nil || institution.KindOf(err) != kind {
			t.Errorf("%q: %v", refresh, err)
		}
	}
	if n := len(b.requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The attacks of docs/reference/families.md 15.3, R10, end without a token request.
func TestOAuth_RefusesForeignReturns(t *testing.T) {
	for name, query := range map[string]string{
		"another state":             "code=c0de&state=st-other",
		"no state":                  "code=c0de",
		"two states":                "code=c0de&state=st-8a41&state=st-8a41",
		"a code of another session": "code=other&state=st-other",
		"two codes":                 "code=c0de&code=other&state=st-8a41",
		"another consent":           "code=c0de&state=st-8a41&consentId=c2",
		"another issuer":            "code=c0de&state=st-8a41&iss=https%3A%2F%2Fevil.example",
		"code and error":            "code=c0de&error=access_denied&state=st-8a41",
		"an enclosed answer":        "response=x.y.z&state=st-8a41",
		"no code":                   "state=st-8a41",
		"a step that is ours":       "step=confirm",
		"an error without state":    "error=access_denied",
	} {
		b := newCodeBank(t, nil, nil)
		b.confirm = `,"confirmation":{"href":"` + plainLink + `"}`
		a := b.open(t)
		got, err := b.Complete(t.Context(), completion(a.StatusLink, query))
		if err != nil || got.State != institution.AuthorizationFailed || got.Failure != consent.AuthenticationFailed || got.Tokens != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
		for _, r := range b.requests() {
			if r.path == tokenPath || r.method == http.MethodPut {
				t.Errorf("%s: %s %s", name, r.method, r.path)
			}
		}
	}
}

// A code of another session that comes with our state meets the verifier of ours.
func TestOAuth_FailsWhenTheServerRefusesTheCode(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	a := b.open(t)
	b.token = responds(400, `{"error":"invalid_grant"}`)
	got, err := b.Complete(t.Context(), completion(a.StatusLink, "code=injected&state=st-8a41"))
	if err != nil || got.State != institution.AuthorizationFailed || got.Failure != consent.AuthenticationFailed || got.Tokens != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for status, kind := range map[int]institution.ErrorKind{401: institution.CertificateRejected, 429: institution.Busy, 503: institution.Unreachable} {
		b.token = responds(status, `{"error":"invalid_client"}`)
		if got, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de&state=st-8a41")); err == nil || institution.KindOf(err) != kind {
			t.Errorf("%d: got %+v, %v", status, got, err)
		}
	}
}

// Tokens for the consent of somebody else are handed over, so that they can be stored, but
// nobody has signed with them.
func TestOAuth_RefusesTokensOfAnotherConsent(t *testing.T) {
	for scope, want := range map[string]institution.AuthorizationState{
		"AIS:c1": institution.AuthorizationDone, "ais:c1 offline_access": institution.AuthorizationDone, "": institution.AuthorizationDone, "accounts": institution.AuthorizationDone,
		"AIS:c2": institution.AuthorizationFailed, "AIS:": institution.AuthorizationFailed, "ais:C2 openid": institution.AuthorizationFailed, "AIS:c2 AIS:c1": institution.AuthorizationDone,
	} {
		b := newCodeBank(t, nil, nil)
		a := b.open(t)
		b.token = responds(200, `{"access_token":"at-1","token_type":"Bearer","scope":"`+scope+`"}`)
		got, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de&state=st-8a41"))
		if err != nil || got.State != want || got.Tokens == nil || got.Tokens.Access != "at-1" {
			t.Errorf("%q: got %+v, %v", scope, got, err)
		}
	}
}

func TestOAuth_SaysWhyThereIsNoCode(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	a := b.open(t)
	for word, want := range map[string]consent.FailureCode{"access_denied": consent.AuthenticationCancelled, "temporarily_unavailable": consent.BankUnavailable,
		"invalid_scope": consent.BankError, "login_required": consent.AuthenticationFailed, "E4711": consent.AuthenticationFailed} {
		got, err := b.Complete(t.Context(), completion(a.StatusLink, "state=st-8a41&error="+word))
		if err != nil || got.State != institution.AuthorizationFailed || got.Failure != want {
			t.Errorf("%s: got %+v, %v", word, got, err)
		}
	}
	if n := len(b.posts()); n != 0 {
		t.Errorf("%d token requests", n)
	}
}

// The tokens are stored before the confirmation, which has no body.
func TestOAuth_ConfirmsAfterTheExchange(t *testing.T) {
	status := "finalised"
	b := newCodeBank(t, nil, map[string]http.HandlerFunc{
		"PUT " + plainLink: func(w http.ResponseWriter, r *http.Request) { responds(200, `{"scaStatus":"`+status+`"}`)(w, r) },
		"GET " + plainLink: func(w http.ResponseWriter, r *http.Request) { responds(200, `{"scaStatus":"`+status+`"}`)(w, r) },
	})
	b.confirm = `,"confirmation":{"href":"` + plainLink + `"}`
	a := b.open(t)
	c := completion(a.StatusLink, "code=c0de&state=st-8a41")
	got, err := b.Complete(t.Context(), c)
	if err != nil || got.State != institution.AuthorizationPending || got.Tokens == nil || got.Next == nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	c.Token, c.Refresh, c.Brought = got.Tokens.Access, got.Tokens.Refresh, got.Next
	if got, err = b.Complete(t.Context(), c); err != nil || got.State != institution.AuthorizationDone || got.Tokens != nil || got.Next != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	if put := b.last(t); put.method != http.MethodPut || put.body != "" || put.header.Get("Authorization") != "Bearer at-1" || put.header.Get("Content-Type") != "" {
		t.Errorf("sent %+v", put)
	}
	status = "failed"
	if got, err = b.Complete(t.Context(), c); err != nil || got.State != institution.AuthorizationFailed {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A server can be at a host of its own, if the configuration names it.
func TestOAuth_CallsOnlyHostsOfTheConfiguration(t *testing.T) {
	answers := map[string]string{
		"the metadata is elsewhere":        `{"consentStatus":"received","consentId":"c1","_links":{"scaOAuth":{"href":"https://evil.example/metadata"}}}`,
		"another port":                     `{"consentStatus":"received","consentId":"c1","_links":{"scaOAuth":{"href":"https://127.0.0.1:1/metadata"}}}`,
		"the metadata is no https address": `{"consentStatus":"received","consentId":"c1","_links":{"scaOAuth":{"href":"http://127.0.0.2/metadata"}}}`,
	}
	for name, answer := range answers {
		b := newCodeBank(t, nil, map[string]http.HandlerFunc{"POST /psd2/v1/consents": responds(201, answer)})
		if opened, err := b.OpenConsent(t.Context(), pageRequest()); err == nil || institution.KindOf(err) != institution.ForeignAddress {
			t.Errorf("%s: got %+v, %v", name, opened, err)
		}
	}
	b := newCodeBank(t, nil, map[string]http.HandlerFunc{"GET " + metadataPath: responds(200, `{"issuer":"https://login.bank.example",
		"authorization_endpoint":"https://login.bank.example/authorize","token_endpoint":"https://evil.example/token"}`)})
	if opened, err := b.OpenConsent(t.Context(), pageRequest()); err == nil || institution.KindOf(err) != institution.ForeignAddress {
		t.Errorf("tokens elsewhere: got %+v, %v", opened, err)
	}
}

// Where the configuration has the server's address, no consent is opened that nobody can
// sign.
func TestOAuth_OpensNothingWithoutItsServer(t *testing.T) {
	b := newCodeBank(t, func(c *xs2a.Config) { c.OAuth.Metadata = strings.TrimSuffix(c.BaseURL, "/psd2") + "/login/missing" }, nil)
	_, err := b.OpenConsent(t.Context(), pageRequest())
	if err == nil || len(b.requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(b.requests()))
	}
}

// A consent that is valid has no use without its tokens.
func TestConsent_IsPendingWithoutItsTokens(t *testing.T) {
	b := newCodeBank(t, nil, map[string]http.HandlerFunc{"GET /psd2/v1/consents/c1": responds(200, `{"consentStatus":"valid"}`)})
	for token, want := range map[string]institution.ConsentState{"": institution.ConsentPending, "at-1": institution.ConsentValid} {
		info, err := b.Consent(t.Context(), institution.Access{ConsentID: "c1", Token: token})
		if err != nil || info.State != want {
			t.Errorf("%q: got %+v, %v", token, info, err)
		}
	}
}

// The codes and tokens of a completion appear in no error.
func TestOAuth_ErrorsShowNoSecret(t *testing.T) {
	b := newCodeBank(t, nil, nil)
	a := b.open(t)
	b.token = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"c0de-secret","error_description":"at-secret"}`)
	}
	_, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de-secret&state=st-8a41"))
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "st-8a41") {
		t.Errorf("got %v", err)
	}
}

// The step that follows an exchange is ours: what a browser brings is none.
func TestOAuth_TakesNoStepFromTheBrowser(t *testing.T) {
	const link = plainLink + " confirm=" + plainLink
	for name, c := range map[string]struct{ sca, link, query string }{
		"without a code":  {"redirect", link, "step=confirm"},
		"with more":       {"oauth", link + " oauth=https://bank.example/m", "step=confirm&code=c0de"},
		"twice":           {"oauth", link + " oauth=https://bank.example/m", "step=confirm&step=confirm"},
		"another":         {"oauth", link + " oauth=https://bank.example/m", "step=other"},
		"without confirm": {"oauth", plainLink + " oauth=https://bank.example/m", "step=confirm"},
	} {
		s := newScriptedBank(t, signsBy(c.sca), responds(200, `{"scaStatus":"finalised"}`))
		asked := completion(c.link, c.query)
		asked.Token = "at-1"
		if got, err := s.Complete(t.Context(), asked); err != nil || got.State != institution.AuthorizationFailed || len(s.requests()) != 0 {
			t.Errorf("%s: got %+v, %v after %d requests", name, got, err, len(s.requests()))
		}
	}
	for _, by := range []consent.Carrier{consent.InQuery, consent.InFragment} { // with the token of a login before
		s := newScriptedBank(t, signsBy("oauth"), responds(200, `{"scaStatus":"finalised"}`))
		asked := completion(link+" oauth=https://bank.example/m", "step=confirm")
		asked.Token, asked.By = "at-1", by
		if got, err := s.Complete(t.Context(), asked); err != nil || got.State != institution.AuthorizationFailed || len(s.requests()) != 0 {
			t.Errorf("in the %s: got %+v, %v after %d requests", by, got, err, len(s.requests()))
		}
	}
}

// A confirmation whose answer was lost is refused when it is repeated.
func TestOAuth_FindsThatItWasConfirmed(t *testing.T) {
	for status, want := range map[string]institution.AuthorizationState{"finalised": institution.AuthorizationDone, "failed": institution.AuthorizationFailed} {
		s := newScriptedBank(t, signsBy("oauth"), routes(map[string]http.HandlerFunc{
			"PUT " + plainLink: responds(409, `{"tppMessages":[{"category":"ERROR","code":"STATUS_INVALID"}]}`),
			"GET " + plainLink: responds(200, `{"scaStatus":"`+status+`"}`),
		}))
		c := completion(plainLink+" confirm= oauth=", "step=confirm")
		c.Token = "at-1"
		if got, err := s.Complete(t.Context(), c); err != nil || got.State != want {
			t.Errorf("%s: got %+v, %v", status, got, err)
		}
	}
}

// The answer says which shape it is (docs/reference/families.md 2.1). Where it has both, the
// profile decides.
func TestOpenConsent_RecognisesTheShape(t *testing.T) {
	page := `"scaRedirect":{"href":"https://page.bank.example/"}`
	for name, c := range map[string]struct {
		sca, links string
		byCode     bool
	}{
		"a page":                          {"redirect", page, false},
		"a server, by the answer":         {"redirect", `"scaOAuth":{"href":"{metadata}"}`, true},
		"both, where the profile says so": {"redirect", page + `,"scaOAuth":{"href":"{metadata}"}`, false},
		"both, with codes":                {"oauth", page + `,"scaOAuth":{"href":"{metadata}"}`, true},
		"a page in place of codes":        {"oauth", page, false},
	} {
		var b *codeBank
		b = newCodeBank(t, func(config *xs2a.Config) { config.Profile.SCA = c.sca }, map[string]http.HandlerFunc{
			"POST /psd2/v1/consents": func(w http.ResponseWriter, r *http.Request) {
				links := strings.ReplaceAll(c.links, "{metadata}", b.server.URL+metadataPath)
				responds(201, `{"consentStatus":"received","consentId":"c1","_links":{`+links+`}}`)(w, r)
			}})
		a := b.open(t)
		if host := strings.Split(a.Instructions.RedirectURL, "/")[2]; (host == "login.bank.example") != c.byCode || a.Silent != c.byCode {
			t.Errorf("%s: %s, silent %t", name, a.Instructions.RedirectURL, a.Silent)
		}
	}
}

func TestRedirect_IsNotRefusedWhereItIsTheWay(t *testing.T) {
	s := newScriptedBank(t, signsBy("redirect", func(c *xs2a.Config) { c.Profile.RedirectRefusal = "all" }), responds(201, implicit))
	if _, err := s.OpenConsent(t.Context(), pageRequest()); err != nil || s.last(t).header.Get("TPP-Redirect-Preferred") != "true" {
		t.Errorf("sent %q, %v", s.last(t).header.Get("TPP-Redirect-Preferred"), err)
	}
}
