package oauth_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/oauth"
)

func TestAuthorize_ChecksRequests(t *testing.T) {
	const page = "page: "
	for name, tt := range map[string]struct {
		policy oauth.Policy
		query  url.Values
		want   string
	}{
		"good":                   {oauth.Policy{}, query(), ""},
		"more parameters":        {oauth.Policy{}, query("prompt", "login"), ""},
		"other client":           {oauth.Policy{}, query("client_id", "other"), page + "invalid_client"},
		"no client":              {oauth.Policy{}, query("client_id", ""), page + "invalid_request"},
		"other address":          {oauth.Policy{}, query("redirect_uri", back+"2"), page + "invalid_client"},
		"no address":             {oauth.Policy{}, query("redirect_uri", ""), page + "invalid_request"},
		"address with fragment":  {oauth.Policy{}, query("redirect_uri", back+"#x"), page + "invalid_request"},
		"relative address":       {oauth.Policy{}, query("redirect_uri", "/callback"), page + "invalid_request"},
		"twice":                  {oauth.Policy{}, url.Values{"state": {"a", "b"}}, page + "invalid_request"},
		"no response type":       {oauth.Policy{}, query("response_type", ""), "invalid_request"},
		"implicit":               {oauth.Policy{}, query("response_type", "token"), "unsupported_response_type"},
		"capitals":               {oauth.Policy{ResponseType: "CODE"}, query(), "unsupported_response_type"},
		"capitals asked":         {oauth.Policy{ResponseType: "CODE"}, query("response_type", "CODE"), ""},
		"no state":               {oauth.Policy{}, query("state", ""), "invalid_request"},
		"no challenge":           {oauth.Policy{}, query("code_challenge", ""), "invalid_request"},
		"short challenge":        {oauth.Policy{}, query("code_challenge", "abc"), "invalid_request"},
		"padded challenge":       {oauth.Policy{}, query("code_challenge", challenge(verifier)+"="), "invalid_request"},
		"plain":                  {oauth.Policy{}, query("code_challenge_method", "plain"), "invalid_request"},
		"plain allowed":          {oauth.Policy{Plain: true}, query("code_challenge_method", "plain"), ""},
		"quoted method":          {oauth.Policy{Plain: true}, query("code_challenge_method", `"S256"`), "invalid_request"},
		"no method":              {oauth.Policy{}, query("code_challenge_method", ""), "invalid_request"},
		"no method, means S256":  {oauth.Policy{NoMethod: true}, query("code_challenge_method", ""), ""},
		"other scope":            {oauth.Policy{}, query("scope", "AIS:c2"), "invalid_scope"},
		"no method, means plain": {oauth.Policy{Plain: true}, query("code_challenge_method", ""), ""},
		"long challenge":         {oauth.Policy{}, query("code_challenge", strings.Repeat("a", 129)), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, tt.policy)
			r, err := e.Authorize(tt.query, rules)
			got := ""
			if err != nil {
				got = err.Code
				if r == (oauth.Request{}) {
					got = page + got
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestRequest_AnswersAtItsAddress(t *testing.T) {
	r := oauth.Request{RedirectURI: back, State: "a&b", Issuer: "https://bank.example"}
	if got := r.Success("c d"); got != "https://client.example/callback/x?one=1&code=c+d&iss=https%3A%2F%2Fbank.example&state=a%26b" {
		t.Error(got)
	}
	r = oauth.Request{RedirectURI: "https://client.example/", State: "s"}
	if got := r.Failure(oauth.AccessDenied()); got != "https://client.example/?error=access_denied&error_description=the+person+has+refused&state=s" {
		t.Error(got)
	}
}

func TestToken_RedeemsACodeOnce(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating, AccessLife: 2 * time.Minute})
	code := e.code()
	e.restart()
	a := e.want(e.token(redemption(code)), "")
	if a.scope != "AIS:c1" || a.expires != 120 || a.refresh == "" {
		t.Errorf("%+v", a)
	}
	e.restart()
	e.check(a.access, nil)
	e.want(e.token(redemption(code)), "invalid_grant")
	e.check(a.access, oauth.ErrInvalid) // the code was stolen, perhaps
	e.want(e.token(refreshing(a.refresh)), "invalid_grant")
	if e.calls.Count("token authorization_code") != 2 || e.calls.Count("token refresh_token") != 1 {
		t.Error(e.calls.Counts())
	}
}

// Every failed attempt of the client ends the code.
func TestToken_EndsTheCodeWithAFailedAttempt(t *testing.T) {
	for name, pair := range map[string][2]string{
		"wrong verifier":     {"code_verifier", strings.Repeat("a", 43)},
		"challenge as it is": {"code_verifier", challenge(verifier)},
		"short verifier":     {"code_verifier", "a"},
		"wrong address":      {"redirect_uri", "https://client.example/callback/x"},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, oauth.Policy{})
			code := e.code()
			e.want(e.token(redemption(code, pair[0], pair[1])), "invalid_grant")
			e.want(e.token(redemption(code)), "invalid_grant")
		})
	}
	e := start(t, oauth.Policy{})
	code := e.code()
	e.want(e.token(redemption(code, "client_id", "other"), "Client", "other"), "invalid_grant")
	e.want(e.token(redemption(code, "code_verifier", "")), "invalid_request")
	e.want(e.token(redemption(code)), "")
	late := e.code()
	e.clock.Advance(time.Minute)
	e.want(e.token(redemption(late)), "invalid_grant")
}

func TestToken_ChecksForms(t *testing.T) {
	e := start(t, oauth.Policy{})
	a := e.want(e.token(redemption(e.code())), "")
	for name, tt := range map[string]struct {
		form url.Values
		want string
	}{
		"no grant type":       {url.Values{}, "invalid_request"},
		"other grant type":    {url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
		"other client":        {redemption(e.code(), "client_id", "other"), "invalid_client"},
		"twice":               {url.Values{"grant_type": {"refresh_token", "refresh_token"}}, "invalid_request"},
		"unknown code":        {redemption("unknown"), "invalid_grant"},
		"access token":        {redemption(a.access), "invalid_grant"},
		"access token again":  {refreshing(a.access), "invalid_grant"},
		"no refresh token":    {refreshing(""), "invalid_request"},
		"code as refresh":     {refreshing(e.code()), "invalid_grant"},
		"no redirect address": {redemption(e.code(), "redirect_uri", ""), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) { e.T = t; e.want(e.token(tt.form), tt.want) })
	}
	e.T = t
	e.check(a.access, nil)
	if got := e.token(redemption(e.code()), "Client", "unknown"); got.status != http.StatusUnauthorized || got.errorr != "invalid_client" {
		t.Errorf("%+v", got)
	}
	if got := e.token(redemption(e.code()), "Content-Type", "application/json"); got.errorr != "invalid_request" {
		t.Errorf("%+v", got)
	}
}

// A token is bound to the certificate of the client that got it.
func TestCheck_BindsTokensToTheCertificate(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Reusable})
	mine, other := &x509.Certificate{Raw: []byte("mine")}, &x509.Certificate{Raw: []byte("other")}
	a := e.want(e.token(redemption(e.code()), "Certificate", oauth.Thumbprint(mine.Raw)), "")
	e.check(a.access, nil, mine)
	e.check(a.access, oauth.ErrInvalid, other)
	e.check(a.access, oauth.ErrInvalid)
	e.want(e.token(refreshing(a.refresh), "Certificate", oauth.Thumbprint(other.Raw)), "invalid_grant")
	e.want(e.token(refreshing(a.refresh), "Certificate", oauth.Thumbprint(mine.Raw)), "")
	e.check(a.refresh, oauth.ErrInvalid, mine)
	for _, header := range []string{"", "Bearer", "Bearer ", "Basic " + a.access} {
		if _, err := e.Check(header, nil); err != oauth.ErrMissing {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func TestToken_Refreshes(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating, AccessLife: time.Minute, ChainLife: time.Hour})
	a := e.want(e.token(redemption(e.code())), "")
	e.clock.Advance(time.Minute)
	e.check(a.access, oauth.ErrExpired)
	b := e.want(e.token(refreshing(a.refresh)), "")
	e.check(b.access, nil)
	e.restart()
	c := e.want(e.token(refreshing(b.refresh)), "")
	e.clock.Advance(time.Hour)
	e.want(e.token(refreshing(c.refresh)), "invalid_grant")
	if a.refresh == b.refresh || b.refresh == c.refresh {
		t.Error("not rotated")
	}
}

// A refresh token that is used twice ends all tokens of the grant, except in the time of
// grace, in which the answer may have been lost.
func TestToken_EndsTheGrantIfARefreshTokenIsUsedTwice(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		e := start(t, oauth.Policy{Refresh: oauth.Rotating, Grace: grace})
		a := e.want(e.token(redemption(e.code())), "")
		b := e.want(e.token(refreshing(a.refresh)), "")
		if grace > 0 {
			c := e.want(e.token(refreshing(a.refresh)), "")
			e.want(e.token(refreshing(c.refresh)), "")
			b = c
		}
		e.want(e.token(refreshing(a.refresh)), "invalid_grant")
		e.check(b.access, oauth.ErrInvalid)
		e.want(e.token(refreshing(b.refresh)), "invalid_grant")
	}
}

// In the time of grace the answer to the rotation may have been lost. If the token in it
// comes after all, somebody else has it.
func TestToken_EndsTheGrantIfALostRefreshTokenIsUsed(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating, Grace: time.Minute})
	a := e.want(e.token(redemption(e.code())), "")
	lost := e.want(e.token(refreshing(a.refresh)), "")
	b := e.want(e.token(refreshing(a.refresh)), "")
	e.want(e.token(refreshing(lost.refresh)), "invalid_grant")
	e.check(b.access, oauth.ErrInvalid)
}

func TestToken_AnswersByPolicy(t *testing.T) {
	e := start(t, oauth.Policy{NoExpiry: true, NoScope: true})
	if a := e.want(e.token(redemption(e.code())), ""); a.refresh != "" || a.expires != 0 || a.scope != "" {
		t.Errorf("%+v", a)
	}
	e.SetPolicy(oauth.Policy{Refresh: oauth.Reusable, BareRefresh: true})
	a := e.want(e.token(redemption(e.code())), "")
	b := e.want(e.token(refreshing(a.refresh)), "")
	if a.expires != 3600 || b.refresh != "" || b.expires != 0 || b.scope != "" {
		t.Errorf("%+v %+v", a, b)
	}
	e.want(e.token(refreshing(a.refresh)), "")
	e.SetPolicy(oauth.Policy{InvalidRequest: true})
	if got := e.want(e.token(redemption("unknown")), "invalid_request"); !strings.Contains(got.body, "userMessage") {
		t.Error(got.body)
	}
	e.want(e.token(refreshing("unknown")), "invalid_grant") // that is about codes and verifiers
	e.SetPolicy(oauth.Policy{NoMethod: true})
	e.want(e.token(redemption(e.code(), "redirect_uri", "")), "")
}

func TestToken_FailsByFault(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating})
	a := e.want(e.token(redemption(e.code())), "")
	for fault, status := range map[oauth.Fault]int{oauth.Unavailable: 503, oauth.ServerError: 500, oauth.Denies: 400} {
		e.SetPolicy(oauth.Policy{Refresh: oauth.Rotating, Fault: fault})
		if got := e.token(refreshing(a.refresh)); got.status != status {
			t.Errorf("%s: %d", fault, got.status)
		}
	}
	// The request is carried out: what the client has is dead.
	e.SetPolicy(oauth.Policy{Refresh: oauth.Rotating, Fault: oauth.Lost, Times: 1})
	if got := e.token(refreshing(a.refresh)); got.status != 0 {
		t.Errorf("lost: %d", got.status)
	}
	e.want(e.token(refreshing(a.refresh)), "invalid_grant")
	code := e.code()
	e.SetPolicy(oauth.Policy{Fault: oauth.Garbled, Times: 1})
	if got := e.token(redemption(code)); got.status != 200 || got.access != "" {
		t.Errorf("garbled: %+v", got)
	}
	e.want(e.token(redemption(code)), "invalid_grant")
	if n := e.calls.Count("token refresh_token"); n != 5 {
		t.Errorf("%d refreshes are counted", n)
	}
}

func TestEnd_KillsAllTokensOfASubject(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Reusable})
	a, code := e.want(e.token(redemption(e.code())), ""), e.code()
	if err := e.End("c2"); err != nil {
		t.Fatal(err)
	}
	e.check(a.access, nil)
	if err := e.ExpireAccess(); err != nil {
		t.Fatal(err)
	}
	e.check(a.access, oauth.ErrExpired)
	if err := e.End("c1"); err != nil {
		t.Fatal(err)
	}
	e.restart()
	e.check(a.access, oauth.ErrInvalid)
	e.want(e.token(refreshing(a.refresh)), "invalid_grant")
	e.want(e.token(redemption(code)), "invalid_grant")
}

func TestRevoke_EndsATokenOrAllOfItsGrant(t *testing.T) {
	e := start(t, oauth.Policy{Refresh: oauth.Rotating})
	revoke := func(token string, header ...string) int {
		rec := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/revoke", strings.NewReader(url.Values{"token": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		e.Revoke(rec, r)
		return rec.Code
	}
	code := e.code()
	if status := revoke(code); status != 200 {
		t.Errorf("a code: %d", status)
	}
	first := e.want(e.token(redemption(code)), "")
	if status := revoke(first.refresh, "Client", "other"); status != 200 {
		t.Errorf("another client's: %d", status)
	}
	e.check(first.access, nil)
	second := e.want(e.token(refreshing(first.refresh)), "")
	for _, status := range []int{revoke(first.access), revoke(first.access), revoke("nobody's")} {
		if status != 200 {
			t.Errorf("an access token: %d", status)
		}
	}
	e.check(first.access, oauth.ErrExpired)
	e.check(second.access, nil)
	if status := revoke(second.refresh); status != 200 {
		t.Errorf("a refresh token: %d", status)
	}
	e.restart()
	e.check(second.access, oauth.ErrInvalid)
	e.want(e.token(refreshing(second.refresh)), "invalid_grant")
	if status := revoke(""); status != 400 {
		t.Errorf("nothing: %d", status)
	}
	if status := revoke("x", "Client", "unknown"); status != 401 {
		t.Errorf("nobody: %d", status)
	}
	if n := e.calls.Count("revoke"); n != 8 {
		t.Errorf("%d calls", n)
	}
}
