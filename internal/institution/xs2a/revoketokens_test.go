package xs2a_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// A login before a consent can leave tokens and no consent. Where the bank publishes an
// endpoint for that, they are revoked.
func TestRevoke_EndsTokensWithoutAConsent(t *testing.T) {
	const metadata, revoke, byCertificate = "/login/metadata", "/login/revoke", "/login/mtls/revoke"
	both := institution.Access{Token: "at-1", Refresh: "rt-1"}
	for name, c := range map[string]struct {
		endpoint, alias string // of the metadata; at the bank, or elsewhere
		access          institution.Access
		answer          http.HandlerFunc
		form            url.Values // nil: nothing is sent
		path            string
		want            institution.ErrorKind
	}{
		"both":         {revoke, "", both, responds(200, ""), url.Values{"token": {"rt-1"}, "token_type_hint": {"refresh_token"}}, revoke, ""},
		"access only":  {revoke, "", institution.Access{Token: "at-1"}, responds(200, ""), url.Values{"token": {"at-1"}, "token_type_hint": {"access_token"}}, revoke, ""},
		"alias":        {revoke, byCertificate, both, responds(200, ""), url.Values{"token": {"rt-1"}}, byCertificate, ""},
		"dead":         {revoke, "", both, responds(400, `{"error":"invalid_grant"}`), url.Values{"token": {"rt-1"}}, revoke, ""},
		"not revoked":  {revoke, "", both, responds(400, `{"error":"unsupported_token_type"}`), url.Values{"token": {"rt-1"}}, revoke, ""},
		"down":         {revoke, "", both, responds(503, ""), url.Values{"token": {"rt-1"}}, revoke, institution.Unreachable},
		"200, a page":  {revoke, "", both, responds(200, "<html>"), url.Values{"token": {"rt-1"}}, revoke, institution.Unreachable},
		"a page":       {revoke, "", both, responds(403, "<html>"), url.Values{"token": {"rt-1"}}, revoke, institution.Unreachable},
		"our client":   {revoke, "", both, responds(401, `{"error":"invalid_client"}`), url.Values{"token": {"rt-1"}}, revoke, institution.CertificateRejected},
		"no endpoint":  {"", "", both, nil, nil, "", ""},
		"another host": {"https://evil.example/revoke", "", both, nil, nil, "", ""},
		"no tokens":    {revoke, "", institution.Access{}, nil, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var s *scriptedBank
			s = newScriptedBank(t, signsBy("redirect-after-login", func(c *xs2a.Config) {
				c.OAuth.Metadata = strings.TrimSuffix(c.BaseURL, "/psd2") + metadata
			}), func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					c.answer(w, r)
					return
				}
				at := func(path string) string {
					if strings.HasPrefix(path, "/") {
						return s.server.URL + path
					}
					return path
				}
				document := map[string]any{"issuer": "https://login.bank.example", "authorization_endpoint": "https://login.bank.example/authorize", "token_endpoint": at("/login/token")}
				if c.endpoint != "" {
					document["revocation_endpoint"] = at(c.endpoint)
				}
				if c.alias != "" {
					document["mtls_endpoint_aliases"] = map[string]string{"revocation_endpoint": at(c.alias)}
				}
				_ = json.NewEncoder(w).Encode(document)
			})
			err := s.Revoke(t.Context(), c.access)
			if c.want == "" && err != nil || c.want != "" && (err == nil || institution.KindOf(err) != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			var posts []recordedRequest
			for _, r := range s.requests() {
				if r.method != http.MethodGet {
					posts = append(posts, r)
				}
			}
			if c.form == nil {
				if len(posts) != 0 {
					t.Errorf("sent %+v", posts)
				}
				return
			}
			if len(posts) != 1 || posts[0].path != c.path {
				t.Fatalf("sent %+v", posts)
			}
			form, err := url.ParseQuery(posts[0].body)
			if err != nil || form.Get("client_id") == "" {
				t.Errorf("form %v, %v", form, err)
			}
			for member, values := range c.form {
				if form.Get(member) != values[0] {
					t.Errorf("%s is %q, want %q", member, form.Get(member), values[0])
				}
			}
		})
	}
}

// The tokens of a login are ended after the consent, and what the bank says of them does not
// make a consent that has ended one that has not.
func TestRevoke_EndsTheTokensAfterTheConsent(t *testing.T) {
	const consentPath, revokePath = "/psd2/v1/consents/c1", "/login/revoke"
	gone := responds(404, `{"tppMessages":[{"category":"ERROR","code":"RESOURCE_UNKNOWN"}]}`)
	for name, c := range map[string]struct {
		deletes, revokes http.HandlerFunc
		refresh, sent    string // "" = nothing is sent
		want             institution.ErrorKind
	}{
		"both":               {responds(204, ""), responds(200, ""), "rt-1", "rt-1", ""},
		"of a named server":  {responds(204, ""), responds(200, ""), "https://login.bank.example/token rt-1", "rt-1", ""},
		"the consent is not": {responds(503, ""), responds(200, ""), "rt-1", "", institution.Unreachable},
		"gone before":        {gone, responds(200, ""), "rt-1", "rt-1", ""},
		"refused":            {responds(204, ""), responds(400, `{"error":"invalid_request"}`), "rt-1", "rt-1", ""},
		"our client":         {responds(204, ""), responds(401, `{"error":"invalid_client"}`), "rt-1", "rt-1", ""},
		"down":               {responds(204, ""), responds(503, ""), "rt-1", "rt-1", ""},
		"a page":             {responds(204, ""), responds(403, "<html>"), "rt-1", "rt-1", ""},
	} {
		var log bytes.Buffer
		s := newScriptedBank(t, signsBy("redirect-after-login", func(c *xs2a.Config) {
			at := strings.TrimSuffix(c.BaseURL, "/psd2")
			c.OAuth.AuthorizationEndpoint, c.OAuth.TokenEndpoint, c.OAuth.RevocationEndpoint = at+"/login/authorize", at+"/login/token", at+revokePath
		}), routes(map[string]http.HandlerFunc{"DELETE " + consentPath: c.deletes, "POST " + revokePath: c.revokes}), func(d *xs2a.Deps) {
			d.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		err := s.Revoke(t.Context(), institution.Access{ConsentID: "c1", Token: "at-1", Refresh: c.refresh})
		if (err != nil) != (c.want != "") || err != nil && institution.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		sent := ""
		if last := s.last(t); last.path == revokePath {
			form, _ := url.ParseQuery(last.body)
			sent = form.Get("token")
		}
		if sent != c.sent {
			t.Errorf("%s: token %q was revoked, want %q", name, sent, c.sent)
		}
		if text := log.String(); strings.Contains(text, "rt-1") || strings.Contains(text, "at-1") {
			t.Errorf("%s: the log has a token: %s", name, text)
		}
	}
}
