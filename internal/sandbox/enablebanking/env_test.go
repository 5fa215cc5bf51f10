package enablebanking_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/clock"
	"samla/internal/ebspec"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/enablebanking"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

const (
	path     = "/enablebanking"
	back     = "https://samla.example/callback"
	maja     = persona.Default
	alva     = "200002292399" // pockets
	noa      = "199006022397" // a blocked account
	sam      = "199008672397" // no IBAN
	elsa     = "199011062388" // all types
	ida      = "199312252399" // partly broken
	leo      = "199501302393" // broken
	ester    = "190905271474"
	sten     = "195704289999"
	address  = "192.0.2.7"
	longTime = 60 * 24 * time.Hour
)

var (
	startTime = time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)
	key       = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
)

// env is a gateway, BankID and the phone on one HTTPS address, with the judge around it.
type env struct {
	testing.TB
	clock   *clock.Fast
	server  *httptest.Server
	gateway *enablebanking.Gateway
	dir     string
	mu      sync.Mutex
	handler http.Handler
	// unjudged is for tests that make the gateway deviate.
	unjudged http.Handler
	token    string
	psu      http.Header // sent with data calls
}

func start(t testing.TB) *env {
	t.Helper()
	e := &env{TB: t, clock: clock.NewFast(startTime, 200), dir: t.TempDir(), psu: http.Header{}}
	e.open()
	e.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		h := e.handler
		e.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(e.server.Close)
	e.attend()
	return e
}

// open starts the services from their journals, as a new process does.
func (e *env) open() {
	e.Helper()
	b := bankid.New(e.clock, rand.Reader)
	b.Habit = func(n string) (bankid.Habit, bool) {
		h, ok := persona.HabitOf(n)
		return bankid.Habit{OpenAfter: h.Opens, ActAfter: h.Acts, Action: bankid.Action(h.Does), By: h.SignsAs}, ok
	}
	if err := b.OpenJournal(filepath.Join(e.dir, "bankid")); err != nil {
		e.Fatal(err)
	}
	g, err := enablebanking.New(enablebanking.Config{
		Clock: e.clock, Key: &key().PublicKey, Redirects: []string{back, back + "?x=1"}, Path: path, BankID: b,
		Journal: filepath.Join(e.dir, "gateway"), PageJournal: filepath.Join(e.dir, "pages"),
	})
	if err != nil {
		e.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(path+"/", g)
	g.MountOperator(mux)
	(&httpapi.Phone{Service: b}).Mount(mux)
	judged := ebspec.New(e, "https://gateway.example"+path).Handler(mux, func(err error) {
		e.Error(err)
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gateway, e.handler, e.unjudged = g, judged, mux
}

// deviate turns the judge off.
func (e *env) deviate(faults ...enablebanking.Fault) {
	e.Helper()
	e.mu.Lock()
	e.handler = e.unjudged
	e.mu.Unlock()
	if !e.gateway.Faults(faults...) {
		e.Fatal("no such fault")
	}
}

// attend makes data calls those of a person; leave does not.
func (e *env) attend() {
	e.psu = http.Header{"Psu-Ip-Address": {address}, "Psu-User-Agent": {"test"}}
}
func (e *env) leave() { e.psu = http.Header{} }

// claims are those of a valid token.
func (e *env) claims() map[string]any {
	now := e.clock.Now().Unix()
	return map[string]any{"iss": "enablebanking.com", "aud": "api.enablebanking.com", "iat": now, "exp": now + 3600}
}

func sign(tb testing.TB, k any, alg jose.SignatureAlgorithm, headers map[jose.HeaderKey]any, claims map[string]any) string {
	tb.Helper()
	o := &jose.SignerOptions{}
	for name, value := range headers {
		o = o.WithHeader(name, value)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, o)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func (e *env) valid() string {
	return sign(e, key(), jose.RS256, map[jose.HeaderKey]any{"kid": e.gateway.ApplicationID(), "typ": "JWT"}, e.claims())
}

// reply is an answer.
type reply struct {
	status int
	body   map[string]any
	text   string
}

// code is the code of a refusal, or "".
func (r reply) code() string {
	s, _ := r.body["error"].(string)
	return s
}

// list is a member that is a list of objects.
func (r reply) list(name string) []map[string]any { return objects(r.body[name]) }

func objects(v any) []map[string]any {
	items, _ := v.([]any)
	out := make([]map[string]any, len(items))
	for i, item := range items {
		out[i], _ = item.(map[string]any)
	}
	return out
}

// call calls the gateway. body is marshalled unless it is nil.
func (e *env) call(method, at string, body any) reply {
	e.Helper()
	token := e.token
	if token == "" {
		token = "Bearer " + e.valid()
	}
	return e.send(method, at, body, token)
}

func (e *env) send(method, at string, body any, authorization string) reply {
	e.Helper()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			e.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, e.server.URL+path+at, content)
	if err != nil {
		e.Fatal(err)
	}
	for name, values := range e.psu {
		r.Header[name] = values
	}
	if authorization != "none" {
		r.Header.Set("Authorization", authorization)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := e.server.Client().Do(r)
	if err != nil {
		return reply{text: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	out := reply{status: resp.StatusCode, text: string(text)}
	if err != nil {
		out.text = "cut"
	}
	_ = json.Unmarshal(text, &out.body)
	return out
}

// asked is a valid body of POST /auth, with changes.
func (e *env) asked(bank string, change func(map[string]any)) map[string]any {
	body := map[string]any{
		"access": map[string]any{"valid_until": e.clock.Now().Add(longTime).Format(time.RFC3339)},
		"aspsp":  map[string]any{"name": bank, "country": "SE"}, "state": "st 1&", "redirect_url": back, "psu_type": "personal", "language": "sv",
	}
	if change != nil {
		change(body)
	}
	return body
}

// walk walks the page as a person, and returns what the browser takes back.
func (e *env) walk(page string, p visitor.Person) url.Values {
	e.Helper()
	to, err := visitor.New(e.server.Client().Transport, e.clock, e.server.URL).Visit(e.Context(), page, p)
	if errors.Is(err, visitor.ErrStays) {
		return url.Values{"stays": {err.Error()}}
	}
	if err != nil {
		e.Fatal(err)
	}
	if to.Scheme+"://"+to.Host+to.Path != back {
		e.Fatalf("returned to %s", to)
	}
	return to.Query()
}

// login logs a person in at a bank and returns what the browser takes back.
func (e *env) login(bank string, p visitor.Person, change func(map[string]any)) url.Values {
	e.Helper()
	got := e.call("POST", "/auth", e.asked(bank, change))
	page, _ := got.body["url"].(string)
	if got.status != 200 || page == "" {
		e.Fatalf("auth: %d %s", got.status, got.text)
	}
	return e.walk(page, p)
}

// session is an authorized session of a person who shares all accounts.
func (e *env) session(bank, number string, change func(map[string]any)) reply {
	e.Helper()
	p := visitor.Person{Number: number, Phone: visitor.Approve}
	back := e.login(bank, p, change)
	if back.Get("state") != "st 1&" || back.Get("code") == "" {
		e.Fatalf("came back with %v", back)
	}
	got := e.call("POST", "/sessions", map[string]string{"code": back.Get("code")})
	if got.status != 200 {
		e.Fatalf("sessions: %d %s", got.status, got.text)
	}
	return got
}

// account is one account of a session, by the name that the person gave it.
func (r reply) account(tb testing.TB, details string) map[string]any {
	tb.Helper()
	for _, a := range r.list("accounts") {
		if a["details"] == details {
			return a
		}
	}
	tb.Fatalf("no account %q in %s", details, r.text)
	return nil
}

func (r reply) uid(tb testing.TB, details string) string {
	tb.Helper()
	uid, _ := r.account(tb, details)["uid"].(string)
	return uid
}

// expect fails unless the answer has this status and code.
func (e *env) expect(what string, got reply, status int, code string) {
	e.Helper()
	if got.status != status || got.code() != code {
		e.Errorf("%s: got %d %s, want %d %s", what, got.status, got.text, status, code)
	}
}
