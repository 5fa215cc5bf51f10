package oauth_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
)

func TestServers_ReadTheDocumentAtTheAddressAndKeepIt(t *testing.T) {
	var n atomic.Int32
	var uri atomic.Value
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		uri.Store(r.RequestURI)
		_, _ = io.WriteString(w, `{"issuer":"https://issuer.example/x","authorization_endpoint":"https://login.example/a?b=1","token_endpoint":"https://t.example/token",
			"jwks_uri":"https://t.example/jwks","mtls_endpoint_aliases":{"token_endpoint":"https://mtls.example/token"},"authorization_response_iss_parameter_supported":true,"x":[{}]}`)
	})
	servers := oauth.NewServers(s.Hosts, s.Clock)
	address := s.URL + "/v1/sca/oauth/7f/meta?c=%2F1"
	for range 3 {
		got, err := servers.Metadata(t.Context(), address, "")
		want := oauth.Metadata{Issuer: "https://issuer.example/x", AuthorizationEndpoint: "https://login.example/a?b=1", TokenEndpoint: "https://t.example/token",
			JWKSURI: "https://t.example/jwks", AliasTokenEndpoint: "https://mtls.example/token", IssuerInAnswers: true}
		if err != nil || got != want || uri.Load() != "/v1/sca/oauth/7f/meta?c=%2F1" {
			t.Fatalf("%+v %v at %v", got, err, uri.Load())
		}
	}
	if n.Load() != 1 {
		t.Errorf("read %d times", n.Load())
	}
	if _, err := servers.Metadata(t.Context(), address, "https://issuer.example/other"); institution.KindOf(err) != institution.MalformedResponse {
		t.Errorf("another issuer: %v", err)
	}
	before := n.Load()
	s.Clock.Advance(time.Hour)
	if _, err := servers.Metadata(t.Context(), address, "https://issuer.example/x"); err != nil || n.Load() != before+1 {
		t.Errorf("after an hour: read %d times, %v", n.Load()-before, err)
	}
	if _, err := servers.Metadata(t.Context(), "https://other.example/meta", ""); institution.KindOf(err) != institution.ForeignAddress {
		t.Errorf("another host: %v", err)
	}
}

func TestServers_DoNotKeepAFailure(t *testing.T) {
	var status atomic.Int32
	status.Store(503)
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, `{"issuer":"https://issuer.example"}`)
	})
	servers := oauth.NewServers(s.Hosts, s.Clock)
	for st, want := range map[int32]institution.ErrorKind{503: institution.Unreachable, 429: institution.Busy, 302: institution.ForeignAddress, 404: institution.MalformedResponse} {
		status.Store(st)
		if _, err := servers.Metadata(t.Context(), s.URL+"/m", ""); institution.KindOf(err) != want || err == nil {
			t.Errorf("%d: %v", st, err)
		}
	}
	status.Store(200)
	if _, err := servers.Metadata(t.Context(), s.URL+"/m", ""); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestParseMetadata_ChecksTheIssuer(t *testing.T) {
	for document, want := range map[string]bool{
		`{"issuer":"https://a.example"}`: true, `{"issuer":"https://a.example/"}`: false, `{"issuer":"https://A.example"}`: false, `{"issuer":"http://a.example"}`: false,
		`{}`: false, `[]`: false, `{"issuer":"https://a.example","issuer":"https://a.example"}`: false, `{"issuer":["https://a.example"]}`: false, ``: false,
	} {
		if _, err := oauth.ParseMetadata([]byte(document), "https://a.example"); (err == nil) != want {
			t.Errorf("%s: %v", document, err)
		}
	}
	for _, issuer := range []string{"http://a.example", "a", "", "https://a.example?x=1", "https://a.example#x", "https://u@a.example"} {
		if _, err := oauth.ParseMetadata(fmt.Appendf(nil, `{"issuer":%q}`, issuer), ""); err == nil {
			t.Errorf("%q was taken for an issuer", issuer)
		}
	}
}

func TestParseMetadata_LeavesOutAddressesOfNoUse(t *testing.T) {
	got, err := oauth.ParseMetadata([]byte(`{"issuer":"https://a.example","authorization_endpoint":"javascript:alert(1)","token_endpoint":"http://a.example/t","jwks_uri":7,
		"mtls_endpoint_aliases":"x","authorization_response_iss_parameter_supported":"true"}`), "")
	if want := (oauth.Metadata{Issuer: "https://a.example"}); err != nil || got != want {
		t.Errorf("%+v %v", got, err)
	}
}

// RFC 8414 3.1 and OpenID Connect Discovery 4.1 have these examples.
func TestWellKnown_FollowsTheTwoStandards(t *testing.T) {
	for issuer, want := range map[string][2]string{
		"https://example.com":         {"https://example.com/.well-known/oauth-authorization-server", "https://example.com/.well-known/openid-configuration"},
		"https://example.com/issuer1": {"https://example.com/.well-known/oauth-authorization-server/issuer1", "https://example.com/issuer1/.well-known/openid-configuration"},
		"https://example.com/":        {"https://example.com/.well-known/oauth-authorization-server", "https://example.com/.well-known/openid-configuration"},
	} {
		if got := [2]string{oauth.WellKnown(issuer), oauth.OpenIDWellKnown(issuer)}; got != want {
			t.Errorf("%s: %v", issuer, got)
		}
	}
}
