package sandbox_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // registers SHA-512 for crypto.Hash
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/bgspec"
	"samla/internal/clock"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
	"samla/internal/sandbox/pki"
	"samla/internal/specs/exchange"

	"github.com/google/uuid"
)

// Personal numbers of personas, by given name (see package persona).
const (
	maja   = "198412099296"
	ester  = "190905271474"
	sten   = "195704289999"
	tolvan = "191212121212"
	tim    = "198611239883"
	ida    = "199312252399"
	leo    = "199501302393"
)

var startTime = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// testKeys are generated once for all tests, because an RSA key takes long.
var testKeys = sync.OnceValues(func() (*pki.Set, error) {
	return pki.Open("", func() time.Time { return startTime }, nil)
})

// env is a running sandbox with a manual clock. On the server's side the bgspec
// validator checks every exchange with a bank.
type env struct {
	testing.TB
	*sandbox.Sandbox
	clock *clock.Manual
}

func start(t testing.TB, change func(*sandbox.Config)) *env {
	t.Helper()
	w := &env{TB: t, clock: clock.NewManual(startTime)}
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	c := sandbox.Config{Clock: w.clock, Wrap: w.validateExchanges, Keys: keys}
	if change != nil {
		change(&c)
	}
	s, err := sandbox.New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox = s
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.stop)
	return w
}

var stopOnce sync.Map

func (w *env) stop() {
	if _, done := stopOnce.LoadOrStore(w, true); done {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Stop(ctx); err != nil {
		w.Error(err)
	}
}

func (w *env) validateExchanges(next http.Handler) http.Handler {
	for _, b := range append(aspsp.DefaultBanks(), aspsp.RedirectBanks()...) {
		judge := movedJudge{bgspec.New(w, "https://bank/"+b.Company), b}
		next = exchange.Handler(judge, next, func(err error) { w.Error(err) })
	}
	return next
}

// movedJudge is the judge of a bank whose operations may be at other paths than /v1.
type movedJudge struct {
	*bgspec.Oracle
	bank aspsp.Behaviour
}

func (j movedJudge) moved(path string) (string, bool) {
	if rest, ok := strings.CutPrefix(path, "/"+j.bank.Company+j.bank.ConsentsPath()+"/consents"); ok {
		return "/" + j.bank.Company + "/v1/consents" + rest, true
	}
	rest, ok := strings.CutPrefix(path, "/"+j.bank.Company+j.bank.AccountsPath()+"/")
	return "/" + j.bank.Company + "/v1/" + rest, ok
}

func (j movedJudge) Covers(path string) bool { _, ok := j.moved(path); return ok }

func (j movedJudge) request(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.Path, _ = j.moved(r.URL.Path)
	return r
}

func (j movedJudge) CheckRequest(r *http.Request, body []byte) error {
	return j.Oracle.CheckRequest(j.request(r), body)
}

func (j movedJudge) CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	if j.bank.OwnWord && bytes.Contains(body, []byte(`"authenticationStarted"`)) {
		return nil // the bank's own word is not in the definition
	}
	return j.Oracle.CheckResponse(j.request(r), status, header, body)
}

// tpp is a client of one bank. It implements the signature of
// docs/reference/banks.md 9.2 independently of the connector.
type tpp struct {
	*env
	bank       string
	http       *http.Client
	seal       tls.Certificate
	dateSigned bool
	sha512     bool                // sign with SHA-512 and rsa-sha512
	change     func(*http.Request) // changes a request after it was signed
	behaviour  aspsp.Behaviour
	bearer     string // token; empty: none
}

func (w *env) tpp(bank string) *tpp {
	qwac, qseal := w.TPP()
	return w.tppWith(bank, []tls.Certificate{qwac}, qseal)
}

func (w *env) tppWith(bank string, client []tls.Certificate, seal tls.Certificate) *tpp {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Certificates: client, Time: w.clock.Now}}
	w.Cleanup(transport.CloseIdleConnections)
	p := &tpp{env: w, bank: bank, http: &http.Client{Transport: transport}, seal: seal, dateSigned: bank == "se-sandbox-static"}
	for _, b := range w.Banks() {
		if b.Company == bank {
			p.behaviour = b.Behaviour
		}
	}
	return p
}

// address returns the address of an operation, with the query that the bank needs.
func (p *tpp) address(path string) string {
	root := p.behaviour.AccountsPath()
	if strings.HasPrefix(path, "consents") {
		root = p.behaviour.ConsentsPath()
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + p.bank + root + "/" + path
	}
	u, err := url.Parse(p.URL() + path)
	if err != nil {
		p.Fatal(err)
	}
	q := u.Query()
	for name, value := range p.behaviour.Query {
		q.Set(name, cmp.Or(value, "x"))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

type response struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

// call sends one signed request. header is pairs of name and value; an empty value
// removes the header.
func (p *tpp) call(method, path, body string, header ...string) response {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.address(path), strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("X-Request-ID", uuid.NewString())
	req.Header.Set("PSU-IP-Address", "192.0.2.7")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, name := range append(p.behaviour.Headers, p.behaviour.CreateHeaders...) {
		req.Header.Set(name, "x")
	}
	if p.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.bearer)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	p.sign(req, body)
	if p.change != nil {
		p.change(req)
	}
	resp, err := p.http.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return response{p.TB, resp.StatusCode, resp.Header, got}
}

func (p *tpp) sign(req *http.Request, body string) {
	hash, label, algorithm := crypto.SHA256, "SHA-256", "rsa-sha256"
	if p.sha512 {
		hash, label, algorithm = crypto.SHA512, "SHA-512", "rsa-sha512"
	}
	sum := func(text string) []byte {
		h := hash.New()
		_, _ = io.WriteString(h, text)
		return h.Sum(nil)
	}
	req.Header.Set("Digest", label+"="+base64.StdEncoding.EncodeToString(sum(body)))
	names := []string{"digest", "x-request-id"}
	for _, name := range []string{"psu-id", "psu-corporate-id", "tpp-redirect-uri"} {
		if req.Header.Get(name) != "" {
			names = append(names, name)
		}
	}
	if p.dateSigned {
		req.Header.Set("Date", p.clock.Now().Format(http.TimeFormat))
		names = append(names, "date")
	}
	lines := []string{}
	for _, name := range names {
		lines = append(lines, name+": "+req.Header.Get(name))
	}
	sig, err := p.seal.PrivateKey.(*rsa.PrivateKey).Sign(rand.Reader, sum(strings.Join(lines, "\n")), hash)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Signature", fmt.Sprintf(`keyId="SN=%x,CA=%s",algorithm="%s",headers="%s",signature="%s"`,
		p.seal.Leaf.SerialNumber, p.seal.Leaf.Issuer, algorithm, strings.Join(names, " "), base64.StdEncoding.EncodeToString(sig)))
	req.Header.Set("TPP-Signature-Certificate", base64.StdEncoding.EncodeToString(p.seal.Leaf.Raw))
}

func (a response) want(status int) response {
	a.Helper()
	if a.status != status {
		a.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// wantError checks for an error with this code, in either error form.
func (a response) wantError(status int, code string) response {
	a.Helper()
	a.want(status)
	if got := a.text("tppMessages", 0, "code") + a.text("code"); got != code {
		a.Fatalf("code %q, want %q: %s", got, code, a.body)
	}
	return a
}

// at returns the value at a path of member names and indexes in the JSON body, or nil.
func (a response) at(path ...any) any {
	var v any
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.UseNumber()
	_ = dec.Decode(&v)
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

func (a response) list(path ...any) []any { l, _ := a.at(path...).([]any); return l }

const allAccounts = `{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,"validUntil":"2026-07-01","frequencyPerDay":4,"combinedServiceIndicator":false}`

// phone sends an action of the person's phone, without a client certificate.
func (w *env) phone(body string) response {
	w.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Time: w.clock.Now}}}
	defer c.CloseIdleConnections()
	resp, err := c.Post(w.URL()+"/sandbox/bankid", "application/json", strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, _ := io.ReadAll(resp.Body)
	return response{w.TB, resp.StatusCode, resp.Header, got}
}

// approve signs as the person, with the token or the image of the bank's answer.
func (p *tpp) approve(a response, person string) {
	p.Helper()
	token := a.text("challengeData", "data", 0)
	if image := a.text("challengeData", "image"); image != "" {
		token = autoStartToken(p.TB, image)
	}
	p.phone(fmt.Sprintf(`{"action":"approve","autoStartToken":%q,"personalNumber":%q}`, token, person)).want(200)
}

// consent creates a consent, has the person sign it, and returns its id.
func (p *tpp) consent(body, person string) string {
	p.Helper()
	created := p.call("POST", "consents", body).want(201)
	id := created.text("consentId")
	auth := p.call("POST", created.text("_links", "startAuthorisationWithPsuIdentification", "href"), `{}`, "PSU-ID", person).want(201)
	p.approve(auth, person)
	final := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	if got := final.text("scaStatus"); got != "finalised" {
		p.Fatalf("scaStatus %s: %s", got, final.body)
	}
	return id
}
