package xs2a_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// With a token, what a bank says of tokens is about the token and never about the consent.
func TestErrors_AboutTokens(t *testing.T) {
	calls := map[string]func(*scriptedBank, institution.Access) error{
		"read": func(s *scriptedBank, a institution.Access) error {
			_, err := s.Fetch(t.Context(), a, first(s.Bank))
			return err
		},
		"consent": func(s *scriptedBank, a institution.Access) error {
			_, err := s.Consent(t.Context(), a)
			return err
		},
		"revoke": func(s *scriptedBank, a institution.Access) error { return s.Revoke(t.Context(), a) },
		"open": func(s *scriptedBank, a institution.Access) error {
			r := pageRequest()
			r.Token = a.Token
			_, err := s.OpenConsent(t.Context(), r)
			return err
		},
		"start": func(s *scriptedBank, a institution.Access) error {
			_, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", Token: a.Token, PSU: person, Way: theWay})
			return err
		},
		"status": func(s *scriptedBank, a institution.Access) error {
			_, err := s.AuthorizationStatus(t.Context(), a, "a1", "", false)
			return err
		},
		"confirm": func(s *scriptedBank, a institution.Access) error {
			c := completion(plainLink+" confirm= oauth=", "step=confirm")
			c.Token = a.Token
			_, err := s.Complete(t.Context(), c)
			return err
		},
	}
	for name, call := range calls {
		for body, status := range map[string]int{
			`{"tppMessages":[{"category":"ERROR","code":"TOKEN_EXPIRED"}]}`: 401, `{"tppMessages":[{"category":"ERROR","code":"TOKEN_INVALID"}]}`: 403,
			`{"tppMessages":[{"category":"ERROR","code":"TOKEN_UNKNOWN"}]}`: 401, `{"error":"invalid_token"}`: 401, ``: 401,
		} {
			s := newScriptedBank(t, signsBy("oauth"), responds(status, body))
			err := call(s, institution.Access{ConsentID: "c1", Token: "at-1", PSU: person})
			if err == nil || institution.KindOf(err) != institution.TokenRefused {
				t.Errorf("%s, %s: %v", name, body, err)
			}
			if h := s.last(t).header; h.Get("Authorization") != "Bearer at-1" {
				t.Errorf("%s: no token", name)
			}
		}
		for body, kind := range map[string]institution.ErrorKind{
			`{"tppMessages":[{"category":"ERROR","code":"CERTIFICATE_INVALID"}]}`: institution.CertificateRejected,
		} {
			s := newScriptedBank(t, signsBy("oauth"), responds(401, body))
			if err := call(s, institution.Access{ConsentID: "c1", Token: "at-1", PSU: person}); err == nil || institution.KindOf(err) != kind {
				t.Errorf("%s, %s: %v", name, body, err)
			}
		}
		// What a gateway says of itself precedes a code that it may have made up.
		for status, kind := range map[int]institution.ErrorKind{503: institution.Unreachable, 429: institution.Busy} {
			s := newScriptedBank(t, signsBy("oauth"), responds(status, `{"tppMessages":[{"category":"ERROR","code":"TOKEN_INVALID"}]}`))
			if err := call(s, institution.Access{ConsentID: "c1", Token: "at-1", PSU: person}); err == nil || institution.KindOf(err) != kind {
				t.Errorf("%s, %d: %v", name, status, err)
			}
		}
	}
}

// Our client proves who it is as the configuration says.
func TestOAuth_ProvesItsClient(t *testing.T) {
	t.Setenv("SAMLA_TEST_CLIENT_SECRET", "s3cret")
	for name, c := range map[string]struct {
		change func(*xs2a.OAuth)
		check  func(recordedRequest, url.Values) bool
	}{
		"basic": {func(o *xs2a.OAuth) {
			o.ClientAuth, o.ClientID, o.SecretVariable = "basic", "me", "SAMLA_TEST_CLIENT_SECRET"
		},
			func(r recordedRequest, form url.Values) bool {
				return r.header.Get("Authorization") == "Basic bWU6czNjcmV0" && !form.Has("client_secret")
			}},
		"post": {func(o *xs2a.OAuth) {
			o.ClientAuth, o.ClientID, o.SecretVariable = "post", "me", "SAMLA_TEST_CLIENT_SECRET"
		},
			func(_ recordedRequest, form url.Values) bool {
				return form.Get("client_id") == "me" && form.Get("client_secret") == "s3cret"
			}},
		"a signed assertion": {func(o *xs2a.OAuth) { o.ClientAuth, o.KeyID = "privateKeyJWT", "k1" },
			func(_ recordedRequest, form url.Values) bool {
				return strings.Count(form.Get("client_assertion"), ".") == 2 && form.Get("client_assertion_type") != ""
			}},
		"more of everything": {func(o *xs2a.OAuth) {
			o.TokenQuery, o.TokenForm, o.Headers = map[string]string{"role": "AISP"}, map[string]string{"resource": "r"}, map[string]string{"X-Api-Key": "k"}
		}, func(r recordedRequest, form url.Values) bool {
			return r.query == "role=AISP" && form.Get("resource") == "r" && r.header.Get("X-Api-Key") == "k"
		}},
		"no challenge": {func(o *xs2a.OAuth) { o.Challenge = "none" },
			func(_ recordedRequest, form url.Values) bool { return !form.Has("code_verifier") }},
	} {
		b := newCodeBank(t, func(config *xs2a.Config) { c.change(&config.OAuth) }, nil)
		a := b.open(t)
		if _, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de&state=st-8a41")); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r := b.last(t); !c.check(r, b.posts()[0]) {
			t.Errorf("%s: sent %+v", name, r)
		}
	}
}

// A client that is known by its certificate uses the endpoint for such clients (RFC 8705 5).
func TestOAuth_UsesTheEndpointOfItsAuthentication(t *testing.T) {
	t.Setenv("SAMLA_TEST_CLIENT_SECRET", "s3cret")
	for auth, want := range map[string]string{"tls": "/login/mtls", "post": tokenPath} {
		b := newCodeBank(t, func(c *xs2a.Config) {
			if c.OAuth.ClientAuth = auth; auth == "post" {
				c.OAuth.SecretVariable = "SAMLA_TEST_CLIENT_SECRET"
			}
		}, map[string]http.HandlerFunc{"POST /login/mtls": responds(200, wholeTokens)})
		metadata := `{"issuer":"` + b.server.URL + `","authorization_endpoint":"https://login.bank.example/","token_endpoint":"` + b.server.URL + tokenPath +
			`","mtls_endpoint_aliases":{"token_endpoint":"` + b.server.URL + `/login/mtls"}}`
		whole := b.answer
		b.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == metadataPath {
				responds(200, metadata)(w, r)
				return
			}
			whole(w, r)
		}
		a := b.open(t)
		if got, err := b.Complete(t.Context(), completion(a.StatusLink, "code=c0de&state=st-8a41")); err != nil || got.Tokens == nil || b.last(t).path != want {
			t.Errorf("%s: got %+v, %v at %s", auth, got, err, b.last(t).path)
		}
	}
}
