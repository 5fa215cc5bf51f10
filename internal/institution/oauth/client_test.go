package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
)

var noon = oauthtest.Noon

// server is a server with a token endpoint.
type server struct{ *oauthtest.Server }

func start(t testing.TB, h http.HandlerFunc) server { return server{oauthtest.Start(t, h)} }

// client returns a client of the token endpoint.
func (s server) client(t testing.TB, change func(*oauth.Config)) *oauth.Client {
	t.Helper()
	c := oauth.Config{ID: "PSDSE-FINA-44059", Auth: oauth.TLSAuth{}, Endpoint: s.Endpoint(t, "/token"), Clock: s.Clock}
	if change != nil {
		change(&c)
	}
	client, err := oauth.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// received is a token request as the server saw it.
type received struct {
	uri, body string
	form      url.Values
	header    http.Header
}

// tokenServer answers each request with status and body, and records it.
func tokenServer(t *testing.T, status int, body string, header ...string) (server, *received, *atomic.Int32) {
	var last received
	var n atomic.Int32
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		last = received{r.RequestURI, string(raw), form, r.Header}
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	return s, &last, &n
}

const success = `{"access_token":"at-1","token_type":"bearer","expires_in":3600,"refresh_token":"rt-1","scope":"AIS:c"}`

func TestClient_SendsTheGrants(t *testing.T) {
	s, last, _ := tokenServer(t, 200, success)
	for name, c := range map[string]struct {
		change func(*oauth.Config)
		grant  oauth.Grant
		uri    string
		body   string
	}{
		"authorization code": {nil, oauth.CodeGrant("c-1", "v-1", "https://samla.example/cb?x=1"), "/token",
			"client_id=PSDSE-FINA-44059&code=c-1&code_verifier=v-1&grant_type=authorization_code&redirect_uri=https%3A%2F%2Fsamla.example%2Fcb%3Fx%3D1"},
		"client credentials": {nil, oauth.ClientGrant("accounts"), "/token", "client_id=PSDSE-FINA-44059&grant_type=client_credentials&scope=accounts"},
		"refresh": {func(c *oauth.Config) { c.Auth = oauth.SecretPost{Secret: "s&"} }, oauth.RefreshGrant("rt-0"), "/token",
			"client_id=PSDSE-FINA-44059&client_secret=s%26&grant_type=refresh_token&refresh_token=rt-0"},
		"N26: the role in the query": {func(c *oauth.Config) { c.Query = url.Values{"role": {"DEDICATED_AISP"}} }, oauth.CodeGrant("c", "v", ""), "/token?role=DEDICATED_AISP",
			"client_id=PSDSE-FINA-44059&code=c&code_verifier=v&grant_type=authorization_code"},
		"more members": {func(c *oauth.Config) { c.Form = url.Values{"scope": {"AIS"}, "a": {"1"}} },
			oauth.Grant{Type: oauth.AuthorizationCode, Code: "c", Form: url.Values{"a": {"2"}, "redirect_url": {"https://x.example"}}}, "/token",
			"a=2&client_id=PSDSE-FINA-44059&code=c&grant_type=authorization_code&redirect_url=https%3A%2F%2Fx.example&scope=AIS"},
	} {
		got, err := s.client(t, c.change).Request(t.Context(), c.grant)
		if err != nil || last.uri != c.uri || last.body != c.body {
			t.Errorf("%s: %v\n got %s %s\nwant %s %s", name, err, last.uri, last.body, c.uri, c.body)
		}
		if want := (oauth.Tokens{Access: "at-1", Refresh: "rt-1", Scope: "AIS:c", Until: noon.Add(time.Hour)}); got != want {
			t.Errorf("%s: got %+v until %v", name, got, got.Until)
		}
		if last.header.Get("Content-Type") != "application/x-www-form-urlencoded" || last.header.Get("Accept") != "application/json" {
			t.Errorf("%s: headers %v", name, last.header)
		}
	}
}

func TestClient_KeepsTheQueryOfTheEndpoint(t *testing.T) {
	s, last, _ := tokenServer(t, 200, success)
	endpoint, err := s.Hosts.Endpoint(s.URL + "/t/oken?a=%2F")
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(t, func(c *oauth.Config) {
		c.Endpoint, c.Query, c.Header, c.NewID = endpoint, url.Values{"b": {"1"}}, http.Header{"X-Ibm-Client-Id": {"app"}}, func() string { return "id-1" }
	})
	g := oauth.RefreshGrant("r")
	g.Header = http.Header{"Psu-Ip-Address": {"192.0.2.1"}}
	if _, err := c.Request(t.Context(), g); err != nil || last.uri != "/t/oken?a=%2F&b=1" {
		t.Errorf("%s %v", last.uri, err)
	}
	if h := last.header; h.Get("X-IBM-Client-Id") != "app" || h.Get("X-Request-ID") != "id-1" || h.Get("PSU-IP-Address") != "192.0.2.1" {
		t.Errorf("headers %v", h)
	}
}

func TestClient_ProvesItselfBySecretInTheHeader(t *testing.T) {
	s, last, _ := tokenServer(t, 200, success)
	c := s.client(t, func(c *oauth.Config) { c.ID, c.Auth = "a:b", oauth.SecretBasic{Secret: "p% å"} })
	if _, err := c.Request(t.Context(), oauth.ClientGrant("x")); err != nil {
		t.Fatal(err)
	}
	r := http.Request{Header: last.header}
	user, password, _ := r.BasicAuth()
	user, _ = url.QueryUnescape(user)
	if password, _ = url.QueryUnescape(password); user != "a:b" || password != "p% å" || last.form.Has("client_id") {
		t.Errorf("%q, %d characters, form %v", user, len(password), last.form.Has("client_id"))
	}
}

func TestClient_ProvesItselfByASignedAssertion(t *testing.T) {
	s, last, _ := tokenServer(t, 200, success)
	for _, algorithm := range []string{"PS256", "RS256", "ES256"} {
		private := oauthtest.Key(t, algorithm)
		signer, err := oauth.NewSigner(private, algorithm, "kid-1")
		if err != nil {
			t.Fatal(err)
		}
		for audience, want := range map[string]string{"": s.URL + "/token", "https://issuer.example": "https://issuer.example"} {
			ids := map[string]bool{}
			for range 2 {
				c := s.client(t, func(c *oauth.Config) { c.Auth = oauth.PrivateKeyJWT{Signer: signer, Audience: audience} })
				if _, err := c.Request(t.Context(), oauth.ClientGrant("accounts")); err != nil {
					t.Fatal(err)
				}
				parsed, err := jwt.ParseSigned(last.form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
				if err != nil {
					t.Fatalf("%s: %v", algorithm, err)
				}
				var claims jwt.Claims
				if err := parsed.Claims(private.Public(), &claims); err != nil {
					t.Fatalf("%s: %v", algorithm, err)
				}
				if err := claims.Validate(jwt.Expected{Issuer: "PSDSE-FINA-44059", Subject: "PSDSE-FINA-44059", AnyAudience: jwt.Audience{want}, Time: noon}); err != nil {
					t.Errorf("%s: %v", algorithm, err)
				}
				if life := claims.Expiry.Time().Sub(noon); life <= 0 || life > 5*time.Minute || parsed.Headers[0].KeyID != "kid-1" {
					t.Errorf("%s: valid for %v, key %q", algorithm, life, parsed.Headers[0].KeyID)
				}
				ids[claims.ID] = true
			}
			if len(ids) != 2 {
				t.Errorf("%s: jti repeats", algorithm)
			}
		}
		if last.form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || last.form.Get("client_id") == "" {
			t.Errorf("form %v", last.form["client_assertion_type"])
		}
	}
}

func TestNewSigner_RefusesKeysThatDoNotFit(t *testing.T) {
	rsaKey := oauthtest.Key(t, "PS256")
	p256 := oauthtest.Key(t, "ES256")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key       any
		algorithm string
		fits      bool
	}{
		"RSA": {rsaKey, "", true}, "P-256": {p256, "", true}, "RSA as EC": {rsaKey, "ES256", false}, "EC as RSA": {p256, "PS256", false},
		"RSA of 1024 bits": {small, "", false}, "P-384": {p384, "", false}, "none": {rsaKey, "none", false}, "HMAC": {[]byte("secret"), "HS256", false}, "no key": {nil, "", false},
	} {
		if _, err := oauth.NewSigner(c.key, c.algorithm, "k"); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A repeated exchange kills a code at some servers, so even what looks like a fault of the
// way must not be repeated here.
func TestClient_SendsARequestOnce(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 500, 503} {
		s, _, n := tokenServer(t, status, `{}`, "Location", "/elsewhere")
		if _, err := s.client(t, nil).Request(t.Context(), oauth.CodeGrant("c", "v", "")); err == nil || n.Load() != 1 {
			t.Errorf("%d: %d requests, %v", status, n.Load(), err)
		}
	}
}

func TestClient_ClassifiesFailures(t *testing.T) {
	const page = `<html><body>Driftstopp</body></html>`
	for name, c := range map[string]struct {
		status  int
		body    string
		code    institution.ErrorKind // of an authorization code
		refresh institution.ErrorKind
		named   string
	}{
		"invalid_grant":               {400, `{"error":"invalid_grant"}`, institution.SCARequired, institution.ConsentGone, "invalid_grant"},
		"invalid_grant with 401":      {401, `{"error":"invalid_grant"}`, institution.SCARequired, institution.ConsentGone, "invalid_grant"},
		"invalid_grant with 200":      {200, `{"error":"invalid_grant"}`, institution.SCARequired, institution.ConsentGone, "invalid_grant"},
		"invalid_grant of a gateway":  {502, `{"error":"invalid_grant"}`, institution.Unreachable, institution.Unreachable, "invalid_grant"},
		"invalid_grant with 429":      {429, `{"error":"invalid_grant"}`, institution.Busy, institution.Busy, "invalid_grant"},
		"invalid_grant in a page":     {400, `<p>invalid_grant</p>`, institution.Unreachable, institution.Unreachable, ""},
		"invalid_grant twice":         {400, `{"error":"invalid_grant","error":"invalid_grant"}`, institution.Unreachable, institution.Unreachable, ""},
		"half of invalid_grant":       {400, `{"error":"invalid_gr`, institution.Unreachable, institution.Unreachable, ""},
		"INVALID_GRANT":               {400, `{"error":"INVALID_GRANT"}`, institution.Refused, institution.Refused, ""},
		"invalid_request":             {400, `{"error":"invalid_request"}`, institution.Refused, institution.Refused, "invalid_request"},
		"invalid_scope":               {400, `{"error":"invalid_scope"}`, institution.Refused, institution.Refused, "invalid_scope"},
		"unauthorized_client":         {403, `{"error":"unauthorized_client"}`, institution.Refused, institution.Refused, "unauthorized_client"},
		"invalid_client":              {401, `{"error":"invalid_client"}`, institution.CertificateRejected, institution.CertificateRejected, "invalid_client"},
		"invalid_client with 400":     {400, `{"error":"invalid_client"}`, institution.CertificateRejected, institution.CertificateRejected, "invalid_client"},
		"401 without a body":          {401, ``, institution.CertificateRejected, institution.CertificateRejected, ""},
		"401 of a gateway":            {401, page, institution.Unreachable, institution.Unreachable, ""},
		"a text of the bank":          {400, `{"error":"kund 198412099296 saknas"}`, institution.Refused, institution.Refused, ""},
		"temporarily_unavailable":     {400, `{"error":"temporarily_unavailable"}`, institution.Unreachable, institution.Unreachable, "temporarily_unavailable"},
		"500":                         {500, `{}`, institution.Unreachable, institution.Unreachable, ""},
		"a page in place of a token":  {200, page, institution.Unreachable, institution.Unreachable, ""},
		"a form in place of JSON":     {200, `access_token=at-1&token_type=bearer`, institution.Unreachable, institution.Unreachable, ""},
		"too many requests":           {429, ``, institution.Busy, institution.Busy, ""},
		"a redirect":                  {302, ``, institution.ForeignAddress, institution.ForeignAddress, ""},
		"no token":                    {200, `{"token_type":"bearer"}`, institution.MalformedResponse, institution.MalformedResponse, ""},
		"no person":                   {400, `{"error":"access_denied"}`, institution.PersonRefused, institution.PersonRefused, "access_denied"},
		"not yet":                     {400, `{"error":"authorization_pending"}`, institution.Preparing, institution.Preparing, "authorization_pending"},
		"404":                         {404, `{"status":404}`, institution.Refused, institution.Refused, ""},
		"N26: a code that it refuses": {400, `{"error":"invalid_request","userMessage":{"title":"x"}}`, institution.Refused, institution.Refused, "invalid_request"},
	} {
		s, _, _ := tokenServer(t, c.status, c.body, "Retry-After", "17", "Location", "/x")
		client := s.client(t, nil)
		for g, want := range map[*oauth.Grant]institution.ErrorKind{
			{Type: oauth.AuthorizationCode, Code: "code-secret"}: c.code, {Type: oauth.RefreshToken, Refresh: "refresh-secret"}: c.refresh,
		} {
			_, err := client.Request(t.Context(), *g)
			e := asError(t, err)
			if e.Kind != want || e.Code != c.named || e.HTTPStatus != c.status || e.RetryAfter != 17*time.Second {
				t.Errorf("%s, %s: %v, code %q, again after %v", name, g.Type, err, e.Code, e.RetryAfter)
			}
			if text := fmt.Sprintf("%v %+v", err, e); strings.Contains(text, "secret") || strings.Contains(text, "1984") {
				t.Errorf("%s: shown: %s", name, text)
			}
		}
	}
}

func asError(t *testing.T, err error) *institution.Error {
	t.Helper()
	e, ok := err.(*institution.Error) //nolint:errorlint // it must not be wrapped
	if !ok {
		t.Fatalf("got %T %v", err, err)
	}
	return e
}

// Only invalid_grant in answer to a refresh ends a consent, whatever else a bank sends.
func TestAnswer_OnlyInvalidGrantEndsAConsent(t *testing.T) {
	codes := []string{"", "invalid_request", "invalid_client", "invalid_grants", "access_denied", "expired_token", "invalid_token", "unauthorized_client", "invalid_scope"}
	for status := 100; status < 600; status++ {
		for _, code := range codes {
			body, _ := json.Marshal(map[string]string{"error": code})
			for _, g := range []oauth.GrantType{oauth.AuthorizationCode, oauth.ClientCredentials, oauth.RefreshToken} {
				_, err := oauth.Answer{Status: status, Body: body}.Tokens(g, noon, oauth.Reading{CodeErrors: codes})
				if k := institution.KindOf(err); k == institution.ConsentGone || k == institution.ConsentOver || err == nil {
					t.Fatalf("%d %q %s: %v", status, code, g, err)
				}
			}
		}
	}
	for _, g := range []oauth.GrantType{oauth.AuthorizationCode, oauth.ClientCredentials} {
		_, err := oauth.Answer{Status: 400, Body: []byte(`{"error":"invalid_grant"}`)}.Tokens(g, noon, oauth.Reading{})
		if institution.KindOf(err) == institution.ConsentGone {
			t.Errorf("%s: %v", g, err)
		}
	}
}

func TestAnswer_ReadsTheErrorsOfABank(t *testing.T) {
	n26 := oauth.Reading{CodeErrors: []string{"invalid_request"}}
	body := []byte(`{"error":"invalid_request"}`)
	for g, want := range map[oauth.GrantType]institution.ErrorKind{oauth.AuthorizationCode: institution.SCARequired, oauth.RefreshToken: institution.Refused} {
		if _, err := (oauth.Answer{Status: 400, Body: body}).Tokens(g, noon, n26); institution.KindOf(err) != want {
			t.Errorf("%s: %v", g, err)
		}
	}
	nordea := oauth.Reading{CodeOf: func(m map[string]any) string {
		if m["error"] != nil {
			return "invalid_grant"
		}
		return ""
	}}
	if _, err := (oauth.Answer{Status: 401, Body: []byte(`{"error":{"failures":[]}}`)}).Tokens(oauth.RefreshToken, noon, nordea); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("another form: %v", err)
	}
	if got, err := (oauth.Answer{Status: 200, Body: []byte(success)}).Tokens(oauth.RefreshToken, noon, nordea); err != nil || got.Access != "at-1" {
		t.Errorf("a success in another form: %v", err)
	}
}

func TestClient_NamesWhatWasNotAccepted(t *testing.T) {
	private := oauthtest.Key(t, "ES256")
	signer, err := oauth.NewSigner(private, "", "")
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := tokenServer(t, 401, `{"error":"invalid_client"}`)
	for want, auth := range map[institution.Reason]oauth.Auth{
		institution.OurCertificateRejected: oauth.TLSAuth{}, institution.OurCredentialsRejected: oauth.SecretBasic{}, institution.OurSignatureRejected: oauth.PrivateKeyJWT{Signer: signer},
	} {
		_, err := s.client(t, func(c *oauth.Config) { c.Auth = auth }).Request(t.Context(), oauth.ClientGrant(""))
		if institution.ReasonOf(err) != want {
			t.Errorf("%T: %v", auth, err)
		}
	}
}

func TestClient_SaysWhetherTheServerCanHaveTheRequest(t *testing.T) {
	s, _, _ := tokenServer(t, 200, success)
	c := s.client(t, nil)
	s.CloseClientConnections()
	s.Close()
	_, err := c.Request(t.Context(), oauth.CodeGrant("c", "v", ""))
	if e := asError(t, err); !e.NotSent || e.Kind != institution.Unreachable {
		t.Errorf("no connection: %v, not sent: %v", err, e.NotSent)
	}
	dropping := start(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err = dropping.client(t, nil).Request(t.Context(), oauth.CodeGrant("c", "v", ""))
	if e := asError(t, err); e.NotSent || e.Kind != institution.Unreachable {
		t.Errorf("a lost answer: %v, not sent: %v", err, e.NotSent)
	}
}

func TestNewClient_NeedsAnEndpointAnIDAndAProof(t *testing.T) {
	s := start(t, func(http.ResponseWriter, *http.Request) {})
	e := s.Endpoint(t, "/token")
	for name, c := range map[string]oauth.Config{
		"endpoint": {ID: "x", Auth: oauth.TLSAuth{}}, "id": {Endpoint: e, Auth: oauth.TLSAuth{}}, "proof": {Endpoint: e, ID: "x"},
	} {
		if _, err := oauth.NewClient(c); err == nil {
			t.Errorf("a client without %s", name)
		}
	}
}

func TestHosts_RefuseOtherAddresses(t *testing.T) {
	s := start(t, func(http.ResponseWriter, *http.Request) {})
	for _, address := range []string{
		"https://other.example/token", "/token", "", strings.Replace(s.URL, "https", "http", 1) + "0/token", s.URL + "@other.example/token",
		s.URL + "/../x", s.URL + "/a/%2e%2e/b", "https://127.0.0.1/token",
	} {
		if _, err := s.Hosts.Endpoint(address); institution.KindOf(err) != institution.ForeignAddress || err == nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
