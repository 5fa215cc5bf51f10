package obie_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/obiespec"
	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/obie/signed"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

const (
	clientID    = "samla-test"
	otherID     = "other-test"
	redirectURI = "https://samla.example/callback/obie?x=1"
)

var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// The keys are generated once for all tests, because RSA keys take long.
var (
	testKeys = sync.OnceValues(func() (*pki.Set, error) {
		return pki.Open("", func() time.Time { return startTime }, nil)
	})
	bankKeys sync.Map // n -> func() (*rsa.PrivateKey, error)
)

func bankKey(n int) (*rsa.PrivateKey, error) {
	made, _ := bankKeys.LoadOrStore(n, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }))
	return made.(func() (*rsa.PrivateKey, error))()
}

// env is a running bank with a manual clock.
type env struct {
	testing.TB
	*obie.Bank
	clock *clock.Manual
	keys  *pki.Set
	srv   *httptest.Server
	serve http.Handler     // in place of the bank; may be nil
	now   func() time.Time // of the bank
}

// behaviour returns the bank of this company.
func behaviour(company string) obie.Behaviour {
	for _, b := range obie.DefaultBanks() {
		if b.Company == company {
			return b
		}
	}
	panic("no bank " + company)
}

func start(t testing.TB, b obie.Behaviour, change ...func(*obie.Config)) *env {
	t.Helper()
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	w := &env{TB: t, clock: clock.NewManual(startTime), keys: keys}
	w.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.serve != nil {
			w.serve.ServeHTTP(rw, r)
			return
		}
		w.ServeHTTP(rw, r)
	}))
	w.now = w.clock.Now
	w.srv.TLS = &tls.Config{Certificates: []tls.Certificate{keys.Server}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	w.srv.StartTLS()
	t.Cleanup(w.srv.Close)
	w.open(b, change...)
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// open makes the bank, at the start and at a restart.
func (w *env) open(b obie.Behaviour, change ...func(*obie.Config)) {
	w.Helper()
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: w.keys.QSEAL.Leaf.PublicKey, KeyID: keyID(w, w.keys.QSEAL.Leaf.PublicKey)}}}
	c := obie.Config{
		Behaviour: b, Clock: w.clock, Roots: w.keys.CA.Pool(), Key: bankKey, Origin: func() string { return w.srv.URL },
		Clients: []obie.Client{
			{ID: clientID, Name: "Test client", Keys: public, Subject: w.keys.QWAC.Leaf.Subject.String(), RedirectURIs: []string{redirectURI}},
			{ID: otherID, Keys: public, Subject: w.keys.QWAC.Leaf.Subject.String(), RedirectURIs: []string{redirectURI}},
		},
	}
	for _, f := range change {
		f(&c)
	}
	bank, err := obie.New(c)
	if err != nil {
		w.Fatal(err)
	}
	w.Bank = bank
}

func keyID(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	id, err := signed.KeyID(public)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// client is a client of the bank. It implements the standard independently of the
// connector; the published definition judges its exchanges.
type client struct {
	*env
	id       string
	http     *http.Client
	key      any // private key of its signatures
	keyID    string
	attended bool
	lax      bool // the requests break the definition on purpose
	change   func(*http.Request)
	app      string // token of client_credentials
	appUntil time.Time
}

func (w *env) client() *client {
	return w.clientWith(clientID, &w.keys.QWAC)
}

func (w *env) clientWith(id string, cert *tls.Certificate) *client {
	c := &client{env: w, id: id, key: w.keys.QSEAL.PrivateKey, attended: true}
	c.keyID = keyID(w, w.keys.QSEAL.Leaf.PublicKey)
	config := &tls.Config{RootCAs: w.keys.CA.Pool()}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	transport := &http.Transport{TLSClientConfig: config}
	w.Cleanup(transport.CloseIdleConnections)
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// version is the definition that judges the bank.
func (w *env) version() obiespec.Version {
	if w.Version == resource.V40 {
		return obiespec.V40
	}
	return obiespec.V31
}

type response struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request and lets the definition judge it.
func (c *client) do(req *http.Request, body string) response {
	c.Helper()
	if c.change != nil {
		c.change(req)
	}
	judge := obiespec.New(c, c.version(), c.Issuer())
	if judge.Covers(req.URL.Path) && !c.lax {
		if err := judge.CheckRequest(req, []byte(body)); err != nil {
			c.Error(err)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	if judge.Covers(req.URL.Path) && resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
		if err := judge.CheckResponse(req, resp.StatusCode, resp.Header, answer); err != nil {
			c.Error(err)
		}
	}
	return response{c, resp.StatusCode, resp.Header, answer}
}

func (c *client) request(method, address, body string) *http.Request {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, address, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	return req
}

// api calls a resource, such as "accounts", or a link of the bank.
func (c *client) api(method, path, token, body string) response {
	c.Helper()
	if !strings.HasPrefix(path, "https:") {
		path = c.Resources() + "/" + path
	}
	req := c.request(method, path, body)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("x-fapi-interaction-id", uuid.NewString())
	if c.FinancialID != "" {
		req.Header.Set("x-fapi-financial-id", c.FinancialID)
	}
	if c.attended {
		req.Header.Set("x-fapi-customer-ip-address", "192.0.2.1")
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.do(req, body)
}

// want fails unless the answer has this status.
func (r response) want(status int) response {
	r.Helper()
	if r.status != status {
		r.Fatalf("status %d, want %d: %.400s", r.status, status, r.body)
	}
	return r
}

// wantError fails unless the answer has this status and the code of version 3.1.11 or 4.0.
func (r response) wantError(status int, code string) {
	r.Helper()
	if got := r.text("Errors", 0, "ErrorCode"); r.status != status || got != code {
		r.Errorf("%d %s, want %d %s", r.status, got, status, code)
	}
}

// at returns the member at the path, or nil.
func (r response) at(path ...any) any {
	r.Helper()
	var v any
	if len(r.body) > 0 {
		if err := json.Unmarshal(r.body, &v); err != nil {
			r.Fatalf("body: %v: %.200s", err, r.body)
		}
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

func (r response) text(path ...any) string {
	r.Helper()
	s, _ := r.at(path...).(string)
	return s
}

func (r response) list(path ...any) []map[string]any {
	r.Helper()
	l, _ := r.at(path...).([]any)
	var out []map[string]any
	for _, item := range l {
		out = append(out, item.(map[string]any))
	}
	return out
}

// sign signs claims with PS256.
func (c *client) sign(claims any) string {
	c.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: c.key, KeyID: c.keyID}}, nil)
	if err != nil {
		c.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		c.Fatal(err)
	}
	return text
}

// token calls the token endpoint with these pairs and the client's authentication.
func (c *client) token(pairs ...string) response {
	c.Helper()
	form := url.Values{}
	if c.ClientAuth == obie.TLSClientAuth {
		form.Set("client_id", c.id)
	} else {
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		now := c.now()
		form.Set("client_assertion", c.sign(map[string]any{
			"iss": c.id, "sub": c.id, "aud": c.Issuer() + "/token", "jti": uuid.NewString(), "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
		}))
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req := c.request(http.MethodPost, c.Issuer()+"/token", form.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req, "")
}

// appToken returns a token of client_credentials.
func (c *client) appToken() string {
	c.Helper()
	if now := c.now(); !now.Before(c.appUntil) {
		c.appUntil = now.Add(c.AccessLifetime)
		c.app = c.token("grant_type", "client_credentials", "scope", "accounts").want(200).text("access_token")
	}
	return c.app
}

var allPermissions = []string{
	"ReadAccountsDetail", "ReadBalances", "ReadTransactionsDetail", "ReadTransactionsCredits", "ReadTransactionsDebits", "ReadParty", "ReadPartyPSU",
	"ReadBeneficiariesDetail", "ReadDirectDebits", "ReadStandingOrdersDetail", "ReadScheduledPaymentsDetail",
}

// newConsent creates a consent until in 100 days and returns its id. data changes Data.
func (c *client) newConsent(permissions []string, data map[string]any) string {
	c.Helper()
	d := map[string]any{"Permissions": permissions, "ExpirationDateTime": c.now().Add(100 * 24 * time.Hour).Format(time.RFC3339)}
	maps.Copy(d, data)
	body, err := json.Marshal(map[string]any{"Data": d, "Risk": map[string]any{}})
	if err != nil {
		c.Fatal(err)
	}
	return c.api(http.MethodPost, "account-access-consents", c.appToken(), string(body)).want(201).text("Data", "ConsentId")
}

const verifier = "a-verifier-of-forty-three-characters-or-more"

// requestObject returns the claims of a right request object for the consent.
func (c *client) requestObject(consent string) map[string]any {
	now := c.now()
	claims := map[string]any{
		"iss": c.id, "client_id": c.id, "aud": c.Issuer(), "response_type": "code id_token", "scope": "openid accounts", "redirect_uri": redirectURI,
		"state": "state-" + consent, "nonce": "nonce-" + consent, "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
		"claims": map[string]any{"id_token": map[string]any{
			"openbanking_intent_id": map[string]any{"value": consent, "essential": true},
			"acr":                   map[string]any{"essential": true, "values": []string{"urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"}},
		}},
	}
	if c.PKCE {
		claims["code_challenge"], claims["code_challenge_method"] = grant.Hash(verifier), "S256"
	}
	return claims
}

// authorize opens the authorisation endpoint in a browser, which has no certificate.
func (c *client) authorize(request string, pairs ...string) response {
	c.Helper()
	q := url.Values{"client_id": {c.id}, "response_type": {"code id_token"}, "scope": {"openid accounts"}, "redirect_uri": {redirectURI}, "request": {request}}
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	browser := c.clientWith(c.id, nil)
	return browser.do(browser.request(http.MethodGet, c.Issuer()+"/authorize?"+q.Encode(), ""), "")
}

// login starts a login and returns its id.
func (c *client) login(consent string) string {
	c.Helper()
	a := c.authorize(c.sign(c.requestObject(consent))).want(303)
	_, id, ok := strings.Cut(a.header.Get("Location"), "/login/")
	if !ok {
		c.Fatalf("sent to %s", a.header.Get("Location"))
	}
	return id
}

// approve lets the person approve with all their accounts and returns the answer in the
// fragment.
func (c *client) approve(login, person string) url.Values {
	c.Helper()
	address, err := c.Decide(login, approval(person, c.accountsOf(person)))
	if err != nil {
		c.Fatal(err)
	}
	return fragment(c, address)
}

func approval(person string, accounts []string) bankpage.Decision {
	return bankpage.Decision{Outcome: bankpage.Approved, PersonalNumber: person, Accounts: accounts}
}

// accountsOf returns the ids of a person's accounts.
func (w *env) accountsOf(person string) []string {
	w.Helper()
	customers := persona.NewCustomers(w.Behaviour.BankID)
	p, ok := customers.Person(person)
	if !ok {
		w.Fatal("no such person")
	}
	var ids []string
	for _, a := range resource.Accounts(p, func(a persona.Account) *persona.Ledger { return customers.Ledger(a, persona.DayAt(w.clock.Now())) }) {
		ids = append(ids, a.ID)
	}
	return ids
}

func fragment(t testing.TB, address string) url.Values {
	t.Helper()
	target, text, _ := strings.Cut(address, "#")
	if target != redirectURI {
		t.Errorf("sent to %s", target)
	}
	q, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// exchange exchanges a code. It sends the verifier if the bank wants PKCE.
func (c *client) exchange(code string, pairs ...string) response {
	c.Helper()
	all := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", redirectURI}
	if c.PKCE {
		all = append(all, "code_verifier", verifier)
	}
	return c.token(append(all, pairs...)...)
}

// connect walks the whole flow and returns the consent and the answer of the token endpoint.
func (c *client) connect(person string, permissions []string) (consent string, tokens response) {
	c.Helper()
	consent = c.newConsent(permissions, nil)
	return consent, c.exchange(c.approve(c.login(consent), person).Get("code")).want(200)
}

func access(r response) string  { return r.text("access_token") }
func refresh(r response) string { return r.text("refresh_token") }

// verify returns the claims of an id_token that the bank's published key signed.
func (c *client) verify(text string) (map[string]any, error) {
	c.Helper()
	var keys jose.JSONWebKeySet
	a := c.do(c.request(http.MethodGet, c.Issuer()+"/jwks", ""), "").want(200)
	if err := json.Unmarshal(a.body, &keys); err != nil {
		c.Fatal(err)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		return nil, err
	}
	found := keys.Key(token.Headers[0].KeyID)
	if len(found) != 1 {
		return nil, fmt.Errorf("the bank publishes %d such keys", len(found))
	}
	var claims map[string]any
	dec := func(v any) error { return token.Claims(found[0].Key, v) }
	return claims, func() error {
		var raw json.RawMessage
		if err := dec(&raw); err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		return d.Decode(&claims)
	}()
}

// eachBank runs a test with each of the default banks.
func eachBank(t *testing.T, test func(t *testing.T, b obie.Behaviour)) {
	for _, b := range obie.DefaultBanks() {
		t.Run(b.Company, func(t *testing.T) { test(t, b) })
	}
}
