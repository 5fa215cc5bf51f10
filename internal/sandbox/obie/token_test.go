package obie_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

const (
	tim   = "198611239883" // one small account
	ester = "190905271474" // a joint account, and savings of her own
)

var someone = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// wantOAuth fails unless the answer is this error of RFC 6749 5.2.
func (r response) wantOAuth(status int, code string) {
	r.Helper()
	if r.status != status || r.text("error") != code {
		r.Errorf("%d %.200s, want %d %s", r.status, r.body, status, code)
	}
}

func issue(t testing.TB, ca *pki.CA, change func(*pki.Spec)) *tls.Certificate {
	t.Helper()
	s := pki.QWAC()
	change(&s)
	c, err := ca.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// mTLS is required, whatever authenticates the client.
func TestToken_RequiresACertificate(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		w := start(t, b)
		otherCA, err := pki.NewCA("other CA", w.clock.Now, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, cert := range map[string]*tls.Certificate{
			"none":         nil,
			"of other CA":  issue(t, otherCA, func(*pki.Spec) {}),
			"expired":      issue(t, w.keys.CA, func(s *pki.Spec) { s.NotAfter = startTime.Add(-time.Hour) }),
			"other holder": issue(t, w.keys.CA, func(s *pki.Spec) { s.Organization = "PSDSE-FINA-1" }),
		} {
			a := w.clientWith(clientID, cert).token("grant_type", "client_credentials", "scope", "accounts")
			if name == "other holder" && b.ClientAuth == obie.PrivateKeyJWT {
				a.want(200) // the signature says who it is
				continue
			}
			if t.Log(name); a.status != 401 || a.text("error") != "invalid_client" {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}

func TestToken_AuthenticatesBySubject(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	c.token("grant_type", "client_credentials", "scope", "accounts").want(200)
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_id", "nobody").wantOAuth(401, "invalid_client")
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_assertion", "x").wantOAuth(401, "invalid_client")
}

func TestToken_AuthenticatesByAssertion(t *testing.T) {
	c := start(t, behaviour("se-demo-obie4")).client()
	now := c.clock.Now()
	claims := func(change func(map[string]any)) map[string]any {
		m := map[string]any{"iss": c.id, "sub": c.id, "aud": c.Issuer() + "/token", "jti": uuid.NewString(), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix()}
		change(m)
		return m
	}
	signedAs := func(alg jose.SignatureAlgorithm, key any, id string) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := jwt.Signed(s).Claims(claims(func(map[string]any) {})).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	set := func(name string, v any) string { return c.sign(claims(func(m map[string]any) { m[name] = v })) }
	for name, tt := range map[string]struct {
		assertion string
		ok        bool
	}{
		"good":             {c.sign(claims(func(map[string]any) {})), true},
		"to the issuer":    {set("aud", c.Issuer()), true},
		"list of two":      {set("aud", []string{"https://other.example", c.Issuer() + "/token"}), true},
		"to another bank":  {set("aud", "https://other.example/token"), false},
		"of another":       {set("iss", "other"), false},
		"for another":      {set("sub", otherID), false},
		"without id":       {set("jti", ""), false},
		"without end":      {c.sign(claims(func(m map[string]any) { delete(m, "exp") })), false},
		"expired":          {set("exp", now.Unix()), false},
		"for two hours":    {set("exp", now.Add(2*time.Hour).Unix()), false},
		"of tomorrow":      {set("iat", now.Add(time.Hour).Unix()), false},
		"by another key":   {signedAs(jose.PS256, someone(), c.keyID), false},
		"by an unknown id": {signedAs(jose.PS256, c.key, "other"), false},
		"with RS256":       {signedAs(jose.RS256, c.key, c.keyID), false},
		"without a key id": {signedAs(jose.PS256, c.key, ""), false},
		"no JWT":           {"x", false},
	} {
		a := c.token("grant_type", "client_credentials", "scope", "accounts", "client_assertion", tt.assertion)
		if (a.status == 200) != tt.ok || !tt.ok && (a.status != 401 || a.text("error") != "invalid_client") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	one := c.sign(claims(func(map[string]any) {}))
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_assertion", one).want(200)
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_assertion", one).wantOAuth(401, "invalid_client")
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_assertion_type", "x").wantOAuth(401, "invalid_client")
	c.token("grant_type", "client_credentials", "scope", "accounts", "client_id", otherID).wantOAuth(401, "invalid_client")
}

func TestToken_RefusesRequests(t *testing.T) {
	c := start(t, behaviour("se-demo-obie")).client()
	c.token("grant_type", "client_credentials").wantOAuth(400, "invalid_scope")
	c.token("grant_type", "client_credentials", "scope", "payments").wantOAuth(400, "invalid_scope")
	c.token("grant_type", "password").wantOAuth(400, "unsupported_grant_type")
	c.token().wantOAuth(400, "unsupported_grant_type")
	c.token("grant_type", "refresh_token", "refresh_token", "x").wantOAuth(400, "invalid_grant")
	c.exchange("x").wantOAuth(400, "invalid_grant")
	if a := c.do(c.request(http.MethodGet, c.Issuer()+"/token", ""), ""); a.status != 405 || a.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", a.status, a.header)
	}
	post := func(contentType, body string) response {
		r := c.request(http.MethodPost, c.Issuer()+"/token", body)
		r.Header.Set("Content-Type", contentType)
		return c.do(r, "")
	}
	post("application/json", `{"grant_type":"client_credentials"}`).wantOAuth(400, "invalid_request")
	post("application/x-www-form-urlencoded", "grant_type=client_credentials&scope=accounts&scope=accounts").wantOAuth(400, "invalid_request")
	post("application/x-www-form-urlencoded", "a="+strings.Repeat("x", 1<<20)).wantOAuth(400, "invalid_request")
}

// O7: a code works once and for 60 seconds; an exchange that fails uses it up.
func TestToken_ExchangesACodeOnce(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		code := func() string { return c.approve(c.login(c.newConsent(allPermissions, nil)), tim).Get("code") }

		one := code()
		tokens := c.exchange(one).want(200)
		c.api(http.MethodGet, "accounts", access(tokens), "").want(200)
		c.exchange(one).wantOAuth(400, "invalid_grant")
		// RFC 6749 4.1.2: somebody else may have used it.
		c.api(http.MethodGet, "accounts", access(tokens), "").want(401)
		c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")

		late := code()
		c.clock.Advance(61 * time.Second)
		c.exchange(late).wantOAuth(400, "invalid_grant")
		inTime := code()
		c.clock.Advance(60 * time.Second)
		c.exchange(inTime).want(200)

		for name, pairs := range map[string][]string{
			"another address": {"redirect_uri", redirectURI + "2"},
			"no address":      {"redirect_uri", ""},
			"wrong verifier":  {"code_verifier", verifier + "x"},
		} {
			one := code()
			if a := c.exchange(one, pairs...); a.status != 400 || a.text("error") != "invalid_grant" {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
			if a := c.exchange(one); a.status != 400 {
				t.Errorf("%s: the code still works", name)
			}
		}

		other := c.clientWith(otherID, &c.keys.QWAC)
		one = code()
		other.exchange(one).wantOAuth(400, "invalid_grant")
		c.exchange(one).want(200) // another client cannot use it up
	})
}

func TestToken_RequiresTheVerifierOfTheChallenge(t *testing.T) {
	c := start(t, behaviour("se-demo-obie4")).client()
	code := c.approve(c.login(c.newConsent(allPermissions, nil)), tim).Get("code")
	c.exchange(code, "code_verifier", "").wantOAuth(400, "invalid_grant")
}

// O8: rotation, and 180 days from the authorisation on.
func TestRefresh_Rotates(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		c := start(t, b).client()
		_, first := c.connect(tim, allPermissions)
		use := func(r response) response {
			return c.token("grant_type", "refresh_token", "refresh_token", refresh(r))
		}
		c.clock.Advance(59 * time.Minute)
		c.api(http.MethodGet, "accounts", access(first), "").want(200)
		c.clock.Advance(time.Minute)
		c.api(http.MethodGet, "accounts", access(first), "").want(401)
		second := use(first).want(200)
		if refresh(second) == refresh(first) || second.at("expires_in") != 3600.0 || second.text("token_type") != "Bearer" {
			t.Errorf("%s", second.body)
		}
		use(first).wantOAuth(400, "invalid_grant")
		c.api(http.MethodGet, "accounts", access(second), "").want(200)
		c.clientWith(otherID, &c.keys.QWAC).token("grant_type", "refresh_token", "refresh_token", refresh(second)).wantOAuth(400, "invalid_grant")
		c.token("grant_type", "refresh_token", "refresh_token", access(second)).wantOAuth(400, "invalid_grant")
	})
}

func TestRefresh_EndsAfterItsTime(t *testing.T) {
	b := behaviour("se-demo-obie")
	c := start(t, b).client()
	consent := c.newConsent(allPermissions, map[string]any{"ExpirationDateTime": startTime.AddDate(1, 0, 0).Format(time.RFC3339)})
	tokens := c.exchange(c.approve(c.login(consent), tim).Get("code")).want(200)
	for range 2 {
		c.clock.Advance(89 * 24 * time.Hour)
		tokens = c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
	}
	claims, err := c.verify(tokens.text("id_token"))
	if err != nil || claims["refresh_token_expires_at"] != float64(startTime.Add(b.RefreshLifetime).Unix()) {
		t.Errorf("%v %v", claims, err)
	}
	c.clock.Set(startTime.Add(b.RefreshLifetime))
	c.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).wantOAuth(400, "invalid_grant")
}

func TestRefresh_FollowsTheBanksSwitches(t *testing.T) {
	b := behaviour("se-demo-obie")
	b.RefreshGrace, b.NoExpiresIn = time.Minute, true
	c := start(t, b).client()
	_, first := c.connect(tim, allPermissions)
	use := func(r response) response {
		return c.token("grant_type", "refresh_token", "refresh_token", refresh(r))
	}
	use(first).want(200)
	c.clock.Advance(59 * time.Second)
	if again := use(first).want(200); again.at("expires_in") != nil {
		t.Errorf("expires_in: %s", again.body)
	}
	c.clock.Advance(time.Second)
	use(first).wantOAuth(400, "invalid_grant")

	b.RefreshGrace, b.KeepRefresh = 0, true
	c = start(t, b).client()
	_, first = c.connect(tim, allPermissions)
	for range 2 {
		if next := use(first).want(200); next.at("refresh_token") != nil {
			t.Errorf("refresh_token: %s", next.body)
		}
	}
}

// RFC 8705 3: an access token works with its certificate only, a refresh token with any of
// the client.
func TestToken_IsBoundToTheCertificate(t *testing.T) {
	eachBank(t, func(t *testing.T, b obie.Behaviour) {
		w := start(t, b)
		c := w.client()
		_, tokens := c.connect(persona.Default, allPermissions)
		renewed := w.clientWith(clientID, issue(t, w.keys.CA, func(*pki.Spec) {}))
		renewed.api(http.MethodGet, "accounts", access(tokens), "").want(401)
		again := renewed.token("grant_type", "refresh_token", "refresh_token", refresh(tokens)).want(200)
		renewed.api(http.MethodGet, "accounts", access(again), "").want(200)
		c.api(http.MethodGet, "accounts", access(again), "").want(401)
		w.clientWith(clientID, nil).api(http.MethodGet, "accounts", access(again), "").want(401)
	})
}
