package nordea_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/nordeaspec"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/nordea"
	"samla/internal/sandbox/persona"

	"github.com/go-fed/httpsig"
)

// Personal numbers of personas, by given name (see package persona).
const (
	maja     = persona.Default
	ester    = "190905271474"
	sten     = "195704289999"
	alva     = "200002292399"
	birgitta = "196603233724"
	per      = "198208149297"
	sam      = "199008672397"
	noa      = "199006022397"
	elsa     = "199011062388"
	ida      = "199312252399"
	leo      = "199501302393"
)

const redirectURI = "https://client.example/callback/nordea"

var startTime = time.Date(2026, 4, 1, 14, 0, 0, 0, time.UTC)

// testKey is made once for all tests, because that takes long.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// env is a bank with BankID and its phone on one address. Every exchange is judged: the
// answers and the accepted requests by Nordea's files, the accepted signatures by a library
// that is not ours.
type env struct {
	testing.TB
	*nordea.Bank
	bankID  *bankid.Service
	clock   clock.Clock
	dir     string
	config  nordea.Config
	mu      sync.Mutex
	handler http.Handler
	server  *httptest.Server
	oracle  *nordeaspec.Oracle
	lenient bool // do not judge
}

func start(t testing.TB, change func(*nordea.Config)) *env {
	t.Helper()
	return startAt(t, clock.NewManual(startTime), change)
}

func startAt(t testing.TB, c clock.Clock, change func(*nordea.Config)) *env {
	t.Helper()
	e := &env{TB: t, clock: c, dir: t.TempDir()}
	e.config = nordea.Config{
		Behaviour: nordea.DefaultBank(), Clock: c, Log: nil,
		Applications: []nordea.Application{
			{ID: "app-1", Secret: "secret-1", Name: "Fina AB", Key: &testKey().PublicKey, Redirects: []string{redirectURI, "http://127.0.0.1/callback/nordea"}},
			{ID: "app-2", Secret: "secret-2", Name: "Other AB", Key: &testKey().PublicKey, Redirects: []string{"https://other.example/back"}},
		},
	}
	if change != nil {
		change(&e.config)
	}
	edition := nordeaspec.Files
	if e.config.CancelledStatus || e.config.CardsDecoupled {
		edition = nordeaspec.Newer
	}
	e.oracle = nordeaspec.New(t, "https://bank/"+e.config.Company, edition)
	e.open()
	e.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		h := e.handler
		e.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(e.server.Close)
	return e
}

// open starts BankID and the bank from their journals.
func (e *env) open() {
	e.Helper()
	id := bankid.New(e.clock, rand.Reader)
	id.Habit = func(number string) (bankid.Habit, bool) {
		h, ok := persona.HabitOf(number)
		return bankid.Habit{OpenAfter: h.Opens, ActAfter: h.Acts, Action: bankid.Action(h.Does), By: h.SignsAs}, ok
	}
	id.ApprovalFailure = func(number string) string { h, _ := persona.HabitOf(number); return h.Failure }
	if err := id.OpenJournal(filepath.Join(e.dir, "bankid.jsonl")); err != nil {
		e.Fatal(err)
	}
	c := e.config
	c.BankID, c.Journal = id, filepath.Join(e.dir, "bank.jsonl")
	bank, err := nordea.New(c)
	if err != nil {
		e.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/"+c.Company+"/", e.judge(bank))
	(&httpapi.Phone{Service: id}).Mount(mux)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Bank, e.bankID, e.handler = bank, id, mux
}

// restart kills the bank and BankID and starts them again. Their journals are not closed, as
// if the process had been killed.
func (e *env) restart() { e.open() }

func (e *env) judge(bank http.Handler) http.Handler {
	signed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		copied := r.Clone(r.Context())
		rec := httptest.NewRecorder()
		bank.ServeHTTP(rec, r)
		path := strings.TrimPrefix(r.URL.Path, "/"+e.config.Company)
		if rec.Code < 400 && !strings.HasPrefix(path, "/login/") && !strings.HasPrefix(r.Header.Get("Signature"), "SKIP") {
			if err := verify(copied); err != nil && !e.lenient {
				e.Errorf("%s %s: the bank accepted a signature that httpsig does not: %v", r.Method, path, err)
			}
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	judged := e.oracle.Handler(signed, func(err error) { e.Error(err) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.lenient {
			bank.ServeHTTP(w, r)
			return
		}
		judged.ServeHTTP(w, r)
	})
}

// verify is the verdict of go-fed/httpsig on the signature of a request.
func verify(r *http.Request) error {
	v, err := httpsig.NewVerifier(r)
	if err != nil {
		return err
	}
	return v.Verify(&testKey().PublicKey, httpsig.RSA_SHA256)
}

func (e *env) advance(d time.Duration) { e.clock.(*clock.Manual).Advance(d) }

// client is an application. It signs as docs/reference/families.md 3.3 says, on its own.
type client struct {
	*env
	app, secret string
	token       string
	unattended  bool
	change      func(*http.Request) // before it is signed
	after       func(*http.Request) // after that
}

func (e *env) client() *client { return &client{env: e, app: "app-1", secret: "secret-1"} }

// as returns the client with another token.
func (c *client) as(token string) *client {
	d := *c
	d.token = token
	return &d
}

// absent returns the client as it calls without the person.
func (c *client) absent() *client {
	d := *c
	d.unattended = true
	return &d
}

type response struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

// call sends a signed request to a path below the company id. A body that does not begin
// with "{" is a form.
func (c *client) call(method, path, body string) response {
	c.Helper()
	r := c.request(method, path, body)
	if c.after != nil {
		c.after(r)
	}
	return c.do(r)
}

func (c *client) request(method, path, body string) *http.Request {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.server.URL+"/"+c.config.Company+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("X-IBM-Client-Id", c.app)
	r.Header.Set("X-IBM-Client-Secret", c.secret)
	r.Header.Set("X-Nordea-Originating-Date", c.clock.Now().Format(http.TimeFormat))
	r.Header.Set("X-Nordea-Originating-Host", r.URL.Host)
	if !c.unattended {
		r.Header.Set("X-Nordea-Originating-User-Ip", "192.0.2.7")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			r.Header.Set("Content-Type", "application/json")
		}
		sum := sha256.Sum256([]byte(body))
		r.Header.Set("Digest", "sha-256="+base64.StdEncoding.EncodeToString(sum[:]))
	}
	if c.change != nil {
		c.change(r)
	}
	c.sign(r, body != "")
	return r
}

func (c *client) sign(r *http.Request, body bool) {
	names := []string{"(request-target)", "x-nordea-originating-host", "x-nordea-originating-date"}
	if body {
		names = append(names, "content-type", "digest")
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += "\n"
		}
		value := r.Header.Get(name)
		if i == 0 {
			value = strings.ToLower(r.Method) + " " + r.URL.RequestURI()
		}
		text += name + ": " + value
	}
	sum := sha256.Sum256([]byte(text))
	value, err := rsa.SignPKCS1v15(rand.Reader, testKey(), crypto.SHA256, sum[:])
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Signature", fmt.Sprintf(`keyId="%s",algorithm="rsa-sha256",headers="%s",signature="%s"`,
		c.app, strings.Join(names, " "), base64.StdEncoding.EncodeToString(value)))
}

func (c *client) do(r *http.Request) response {
	c.Helper()
	httpClient := *c.server.Client()
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got, err := httpClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		c.Fatal(err)
	}
	return response{c.TB, got.StatusCode, got.Header, body}
}

func (a response) want(status int) response {
	a.Helper()
	if a.status != status {
		a.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// wantError checks for an error with this code.
func (a response) wantError(status int, code string) response {
	a.Helper()
	a.want(status)
	if got := a.text("error", "failures", 0, "code"); got != code {
		a.Fatalf("code %q, want %q: %s", got, code, a.body)
	}
	return a
}

// at returns the value at a path of member names and indexes in the JSON body, or nil.
func (a response) at(path ...any) any {
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	var v any
	_ = d.Decode(&v)
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

func (a response) text(path ...any) string { s, _ := a.at(path...).(string); return s }

func (a response) list(path ...any) []map[string]any {
	l, _ := a.at(path...).([]any)
	out := make([]map[string]any, len(l))
	for i := range l {
		out[i], _ = l[i].(map[string]any)
	}
	return out
}

const all = `"ACCOUNTS_BASIC","ACCOUNTS_BALANCES","ACCOUNTS_DETAILS","ACCOUNTS_TRANSACTIONS"`

// login starts a decoupled login.
func (c *client) login(psu string) response {
	c.Helper()
	return c.call("POST", "/personal/v5/decoupled/authentications",
		`{"authentication_method":"BANKID_SE","country":"SE","response_type":"code","psu_id":"`+psu+`"}`).want(200)
}

func (c *client) poll(session string) response {
	c.Helper()
	return c.call("GET", "/personal/v5/decoupled/authentications/"+session, "")
}

// phone acts on the order of an autostart token.
func (c *client) phone(token string, a bankid.Action) {
	c.Helper()
	if _, err := c.bankID.Act(bankid.PhoneAction{Action: a, AutoStartToken: token}); err != nil {
		c.Fatal(err)
	}
}

// code signs as a person and returns the code of the login.
func (c *client) code(person string) string {
	c.Helper()
	l := c.login(person)
	c.phone(l.text("auto_start_token"), bankid.Approve)
	return c.poll(l.text("session_id")).want(200).text("code")
}

func authorization(code, scopes string, more ...string) string {
	return `{"code":"` + code + `","account_list":["ALL"],"duration":129600,"response_type":"nordea_token","scope":[` + scopes + `]` +
		strings.Join(more, "") + `}`
}

// tokens exchanges the code of a grant.
func (c *client) exchange(code string) response {
	c.Helper()
	return c.call("POST", "/personal/v5/decoupled/token", "code="+url.QueryEscape(code)+"&grant_type=authorization_code")
}

func (c *client) refresh(token string) response {
	c.Helper()
	return c.call("POST", "/personal/v5/decoupled/token", "grant_type=refresh_token&refresh_token="+url.QueryEscape(token))
}

// grant walks the whole decoupled flow and returns the answer with the tokens.
func (c *client) grant(person, scopes string, more ...string) response {
	c.Helper()
	a := c.call("POST", "/personal/v5/decoupled/authorizations", authorization(c.code(person), scopes, more...)).want(200)
	return c.exchange(a.text("code")).want(200)
}

// reader returns a client with an access token of the person.
func (c *client) reader(person, scopes string, more ...string) *client {
	c.Helper()
	return c.as(c.grant(person, scopes, more...).text("access_token"))
}
