package obie_test

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/obie"
	"samla/internal/obiespec"
	"samla/internal/psu"
	"samla/internal/sandbox/pki"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	clientID  = "client-1"
	consentID = "aac-1"
	since     = "2026-08-25"
)

// person is a test person of Skatteverket (docs/reference/banks.md 14.1).
var person = psu.Context{PersonalNumber: "191212121212", IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"}

var full = consent.Scope{Balances: true, Transactions: true}

var way = institution.Way{State: "state-of-this-login", Return: "https://samla.example/callback/se-bank", OnceReturn: "https://samla.example/callback/se-bank/x",
	Verifier: strings.Repeat("v", 43), Nonce: "nonce-of-this-login"}

// certificates are made once for all tests.
var certificates = sync.OnceValues(func() (string, *pki.Set) {
	dir, err := os.MkdirTemp("", "obie")
	if err != nil {
		panic(err)
	}
	set, err := pki.Open(dir, func() time.Time { return noon }, nil)
	if err != nil {
		panic(err)
	}
	return dir, set
})

func TestMain(m *testing.M) {
	code := m.Run()
	dir, _ := certificates()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// bankKeys are keys with which the bank can sign.
var bankKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return keys
})

// recorded is one request that the scripted bank received.
type recorded struct {
	method, path, query string
	header              http.Header
	body                string
}

// scripted is a bank over HTTPS: its server signs as a test says, and its resources answer
// as a test writes. It validates each request for a resource against OBIE's file.
type scripted struct {
	*obie.Bank
	clock  *clock.Manual
	url    string
	answer http.HandlerFunc // of the resources

	mu      sync.Mutex
	log     []recorded
	key     int               // of the bank's keys: the one that it publishes
	idToken string            // of the token endpoint; "" = a right one
	token   func() (int, any) // of the token endpoint for codes and refreshes; nil = tokens
	tokenAt string            // token endpoint of the metadata; "" = ours
	counts  map[string]int    // by grant type, and "keys"
}

func (s *scripted) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *scripted) requests() []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]recorded(nil), s.log...)
}

func (s *scripted) last(t *testing.T) recorded {
	t.Helper()
	all := s.requests()
	if len(all) == 0 {
		t.Fatal("the bank received no request")
	}
	return all[len(all)-1]
}

func newScripted(t *testing.T, change func(*obie.Config), answer http.HandlerFunc) *scripted {
	t.Helper()
	dir, set := certificates()
	s := &scripted{clock: clock.NewManual(noon), answer: answer, counts: map[string]int{}}
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{set.Server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: set.CA.Pool(),
		Time: func() time.Time { return noon }}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c := obie.Config{ClientID: clientID, KeyFile: pki.QSEALKeyFile, KeyID: "our-key",
		Certificates: obie.Certificates{Cert: pki.QWACFile, Key: pki.QWACKeyFile, CAFile: pki.CAFile}}
	version := obiespec.V31
	if change != nil {
		change(&c)
	}
	if c.Version == "4.0" {
		version = obiespec.V40
	}
	oracle := obiespec.New(t, version, "https://bank")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, 200, map[string]any{"issuer": s.url, "authorization_endpoint": s.url + "/authorize", "token_endpoint": cmp.Or(s.tokenAt, s.url+"/token"), "jwks_uri": s.url + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", s.serveKeys)
	mux.HandleFunc("POST /token", s.serveToken)
	mux.HandleFunc(version.Base+"/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := oracle.CheckRequest(r, body); err != nil {
			t.Errorf("the request breaks the file: %v", err)
		}
		s.mu.Lock()
		s.log = append(s.log, recorded{r.Method, strings.TrimPrefix(r.URL.Path, version.Base), r.URL.RawQuery, r.Header, string(body)})
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Fapi-Interaction-Id", r.Header.Get("X-Fapi-Interaction-Id"))
		s.answer(w, r)
	})
	server.Config.Handler = mux
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url = server.URL
	if c.BaseURL == "" {
		c.BaseURL = server.URL + version.Base
	}
	if c.Issuer == "" {
		c.Issuer = server.URL
	}
	var err error
	s.Bank, err = obie.New(c, obie.Deps{Deps: institution.Deps{Clock: s.clock, Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *scripted) serveKeys(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts["keys"]++
	writeJSON(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: bankKeys()[s.key].Public(), KeyID: keyID(s.key), Algorithm: "PS256", Use: "sig"}}})
}

func keyID(n int) string { return string(rune('a' + n)) }

func (s *scripted) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[r.PostForm.Get("grant_type")]++
	if r.PostForm.Get("grant_type") == "client_credentials" {
		writeJSON(w, 200, map[string]any{"access_token": "own-token", "token_type": "Bearer", "expires_in": 300, "scope": r.PostForm.Get("scope")})
		return
	}
	if s.token != nil {
		status, v := s.token()
		writeJSON(w, status, v)
		return
	}
	id := s.idToken
	if id == "" {
		id = s.sign(s.key, s.claims("", noon))
	}
	writeJSON(w, 200, map[string]any{"access_token": "at-1", "refresh_token": "rt-1", "token_type": "bearer", "expires_in": 3600, "id_token": id})
}

// claims are those of a right id_token.
func (s *scripted) claims(code string, now time.Time) map[string]any {
	c := map[string]any{"iss": s.url, "sub": "person-1", "aud": clientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": way.Nonce,
		"openbanking_intent_id": consentID, "acr": "urn:openbanking:psd2:sca", "s_hash": halfHash(way.State), "refresh_token_expires_at": now.AddDate(0, 0, 180).Unix()}
	if code != "" {
		c["c_hash"] = halfHash(code)
	}
	return c
}

func halfHash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// sign signs a token with one of the bank's keys.
func (s *scripted) sign(key int, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: bankKeys()[key]}, (&jose.SignerOptions{}).WithHeader("kid", keyID(key)))
	if err != nil {
		panic(err)
	}
	payload, _ := json.Marshal(claims)
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	text, _ := signed.CompactSerialize()
	return text
}

// complete completes what a browser brings.
func (s *scripted) complete(t *testing.T, brought url.Values) (institution.Completed, error) {
	t.Helper()
	return s.Complete(t.Context(), institution.Completion{RequestID: "5f3c2d7e-9a41-4b8e-8c06-2f1d7a90b3e4", ConsentID: consentID, PSU: person, Way: way, Brought: brought})
}

// right is what the browser brings after a signature.
func (s *scripted) right() url.Values {
	return url.Values{"code": {"code-1"}, "id_token": {s.sign(0, s.claims("code-1", s.clock.Now()))}, "state": {way.State}}
}

func responds(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// refuses is an error of the bank (docs/reference/families.md 4.6).
func refuses(status int, code string) http.HandlerFunc {
	return responds(status, `{"Code":"400 BadRequest","Message":"m","Errors":[{"ErrorCode":"`+code+`","Message":"m","Path":"Data.Permissions"}]}`)
}

func access() institution.Access {
	return institution.Access{ConsentID: consentID, Token: "at-1", Refresh: "rt-1", PSU: person}
}

func kindOf(t *testing.T, err error) institution.ErrorKind {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return institution.KindOf(err)
}
