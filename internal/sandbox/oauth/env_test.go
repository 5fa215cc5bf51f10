package oauth_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/oauth"
)

const (
	clientID = "PSDSE-FINA-44059"
	back     = "https://client.example/callback/x?one=1"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
)

// env is a server whose clients authenticate with headers instead of certificates.
type env struct {
	*testing.T
	*oauth.Server
	clock  *clock.Manual
	calls  *calls.Log
	config oauth.Config
	http   *httptest.Server
}

func start(t *testing.T, p oauth.Policy) *env {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	e := &env{T: t, clock: c, calls: calls.New(c)}
	e.config = oauth.Config{
		Policy: p, Clock: c, Calls: e.calls, Journal: filepath.Join(t.TempDir(), "grants"),
		Authenticate: func(r *http.Request) (oauth.Client, *oauth.Error) {
			if r.Header.Get("Client") == "unknown" {
				return oauth.Client{}, oauth.InvalidClient("no certificate")
			}
			id := r.Header.Get("Client")
			if id == "" {
				id = clientID
			}
			return oauth.Client{ID: id, Certificate: r.Header.Get("Certificate")}, nil
		},
	}
	e.open()
	e.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Token(w, r) }))
	t.Cleanup(e.http.Close)
	return e
}

func (e *env) open() {
	e.Helper()
	var err error
	if e.Server, err = oauth.New(e.config); err != nil {
		e.Fatal(err)
	}
}

func (e *env) restart() {
	e.Helper()
	if err := e.Close(); err != nil {
		e.Fatal(err)
	}
	e.open()
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func query(pairs ...string) url.Values {
	v := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {back}, "scope": {"AIS:c1"}, "state": {"s1"},
		"code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

var rules = oauth.Rules{
	Issuer: "https://bank.example",
	Redirect: func(id, uri string) *oauth.Error {
		if id != clientID || uri != back {
			return oauth.InvalidClient("unknown client or address")
		}
		return nil
	},
	Scope: func(_, scope string) *oauth.Error {
		if scope != "AIS:c1" {
			return &oauth.Error{Code: "invalid_scope"}
		}
		return nil
	},
}

// code returns a new code for the subject c1.
func (e *env) code() string {
	e.Helper()
	r, refused := e.Authorize(query(), rules)
	if refused != nil {
		e.Fatal(refused)
	}
	code, err := e.Code(r, "c1")
	if err != nil {
		e.Fatal(err)
	}
	return code
}

// answer is what the token endpoint said.
type answer struct {
	status                         int
	access, refresh, scope, errorr string
	expires                        int
	body                           string
}

// token sends a form; header is one name and value.
func (e *env) token(form url.Values, header ...string) answer {
	e.Helper()
	r, err := http.NewRequestWithContext(e.Context(), http.MethodPost, e.http.URL, strings.NewReader(form.Encode()))
	if err != nil {
		e.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := e.http.Client().Do(r)
	if err != nil {
		return answer{}
	}
	defer func() { _ = got.Body.Close() }()
	text, _ := io.ReadAll(got.Body)
	var body struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Type    string `json:"token_type"`
		Scope   string `json:"scope"`
		Expires int    `json:"expires_in"`
		Error   string `json:"error"`
	}
	_ = json.Unmarshal(text, &body)
	if got.StatusCode == http.StatusOK && body.Access != "" && (body.Type != "Bearer" || got.Header.Get("Cache-Control") != "no-store") {
		e.Errorf("token_type %q, %v", body.Type, got.Header)
	}
	return answer{got.StatusCode, body.Access, body.Refresh, body.Scope, body.Error, body.Expires, string(text)}
}

func redemption(code string, pairs ...string) url.Values {
	v := url.Values{"grant_type": {"authorization_code"}, "client_id": {clientID}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

func refreshing(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {clientID}, "refresh_token": {token}}
}

// want fails unless the token endpoint has given tokens ("") or this error.
func (e *env) want(a answer, code string) answer {
	e.Helper()
	if (a.access != "") != (code == "") || a.errorr != code {
		e.Fatalf("%d %q, want %q", a.status, a.errorr, code)
	}
	return a
}

// check fails unless a bearer token has this error.
func (e *env) check(token string, want *oauth.Error, chain ...*x509.Certificate) {
	e.Helper()
	g, err := e.Check("Bearer "+token, chain)
	if err != want {
		e.Fatalf("error %v, want %v", err, want)
	}
	if err == nil && g.Subject != "c1" {
		e.Errorf("subject %q", g.Subject)
	}
}

func mustRequest(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}
