package source_test

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/source"

	"github.com/google/uuid"
)

const (
	secret = "a-secret-of-the-test"
	host   = "127.0.0.1:8443"
	anna   = "199006022397"
	ester  = "190905271474"
	demo   = "se-demo"
	mock   = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK"
	device = "SWEDISH_MOBILE_BANKID_SAME_DEVICE_CLIENT_SIDE_AUTHENTICATION_MOCK"
)

// env is a sandbox's sources without a network.
type env struct {
	testing.TB
	clock  *clock.Manual // nil: the machine's
	now    clock.Clock
	dir    string
	bankID *bankid.Service
	*source.Service
	mux *http.ServeMux
}

func start(t testing.TB) *env {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC))
	w := startAt(t, c)
	w.clock = c
	return w
}

func startAt(t testing.TB, c clock.Clock) *env {
	t.Helper()
	w := &env{TB: t, now: c, dir: t.TempDir()}
	w.open()
	return w
}

// open opens the services on the directory, as at the start of a process. Earlier ones are
// not closed, as after a kill.
func (w *env) open() {
	w.Helper()
	w.bankID = bankid.New(w.now, rand.Reader)
	w.Service = source.New(w.now, rand.Reader, w.bankID)
	if err := errors.Join(w.bankID.OpenJournal(filepath.Join(w.dir, "bankid")), w.OpenJournal(filepath.Join(w.dir, "sources"))); err != nil {
		w.Fatal(err)
	}
	w.mux = http.NewServeMux()
	w.Mount(w.mux, source.Access{Secret: secret, Verify: func(chain []*x509.Certificate) error {
		if len(chain[0].Raw) == 0 {
			return errors.New("unknown client")
		}
		return nil
	}})
}

// response is the answer to a request.
type response struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

// call makes a request with both credentials.
func (w *env) call(method, path, body string, header ...string) response {
	w.Helper()
	r := httptest.NewRequest(method, "https://"+host+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Request-Id", uuid.NewString())
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("client")}}}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return response{w.TB, rec.Code, rec.Header(), rec.Body.Bytes()}
}

func (r response) want(status int) response {
	r.Helper()
	if r.status != status {
		r.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// wantError checks an error of the protocol.
func (r response) wantError(status int, code string) {
	r.Helper()
	var e struct{ Error, Message string }
	if json.Unmarshal(r.body, &e) != nil || r.status != status || e.Error != code || e.Message == "" {
		r.Errorf("%d %s, want %d %s", r.status, r.body, status, code)
	}
	if status == http.StatusTooManyRequests && r.header.Get("Retry-After") == "" {
		r.Error("no Retry-After")
	}
}

func (r response) decode(to any) {
	r.Helper()
	if err := json.Unmarshal(r.body, to); err != nil {
		r.Fatalf("%v: %s", err, r.body)
	}
}

// turn is what a client reads of a turn.
type turn struct {
	ID, Type, For, Question, Kind, Reason, URL, Message, ResponseType string
	AutoStartToken, QRText, QRSecret, QRStartToken, QRImage           string
	QRStartedAt, Expires                                              time.Time
	PollAfter                                                         int
	Choices                                                           []struct{ ID, Name string }
	Inputs                                                            []string
	Wrong, Older                                                      bool
	AttemptsLeft                                                      *int
	PersonalNumber                                                    string
	Request                                                           *struct {
		URL, Method, Etag, Body string
		Headers                 map[string]string
		Cookies                 []struct{ Name, Value, Domain string }
	}
}

// login is a session of a client.
type login struct {
	*env
	base string // path of its credential
	id   string
	turn turn
}

// pathOf returns the base path of an institution.
func (w *env) pathOf(institution string) string {
	w.Helper()
	for _, s := range w.Sources() {
		if s.ID == institution {
			return s.Path + "/v1/"
		}
	}
	w.Fatalf("%s is not served", institution)
	return ""
}

// begin starts a login. who is a personal number or an e-mail address.
func (w *env) begin(institution, method, who string) *login {
	w.Helper()
	l := &login{env: w, base: w.pathOf(institution)}
	var got struct {
		Session string
		Turn    turn
	}
	w.call("POST", l.base+"sessions", loginBody(institution, method, who)).want(201).decode(&got)
	l.id, l.turn = got.Session, got.Turn
	return l
}

func loginBody(institution, method, who string) string {
	member := "personalNumber"
	if strings.Contains(who, "@") {
		member = "email"
	}
	body, _ := json.Marshal(map[string]string{"institution": institution, "loginMethod": method, member: who, "locale": "sv-SE", "ipAddress": "192.0.2.7"})
	return string(body)
}

func (l *login) path(call string) string { return l.base + "sessions/" + l.id + "/" + call }

// next asks for the turn.
func (l *login) next() turn {
	l.Helper()
	l.call("GET", l.path("turn"), "").want(200).decode(&struct{ Turn *turn }{l.reset()})
	return l.turn
}

func (l *login) reset() *turn { l.turn = turn{}; return &l.turn }

// answer gives an answer, a JSON object without the question.
func (l *login) answer(members string) turn {
	l.Helper()
	l.reply(members).want(200).decode(&struct{ Turn *turn }{l.reset()})
	return l.turn
}

func (l *login) reply(members string, header ...string) response {
	l.Helper()
	return l.call("POST", l.path("answers"), `{"question":"`+l.turn.Question+`",`+members+`}`, header...)
}

// page is what a client reads of a page.
type page struct {
	Products []map[string]any
	Missing  []struct{ What, Reason string }
	Next     string
}

func (l *login) page(cursor string) response {
	l.Helper()
	body := `{"cursor":null}`
	if cursor != "" {
		body = `{"cursor":"` + cursor + `"}`
	}
	return l.call("POST", l.path("pages"), body)
}

// read reads all pages. It reports false if the source did not answer, and what was read.
func (l *login) read() (all page, pages int, whole bool) {
	l.Helper()
	for cursor := ""; ; pages++ {
		r := l.page(cursor)
		if r.status == http.StatusServiceUnavailable {
			return all, pages, false
		}
		var p page
		r.want(200).decode(&p)
		all.Products, all.Missing = append(all.Products, p.Products...), append(all.Missing, p.Missing...)
		if cursor = p.Next; cursor == "" {
			return all, pages + 1, true
		}
	}
}

func (w *env) phone(a bankid.PhoneAction) {
	w.Helper()
	if _, err := w.bankID.Act(a); err != nil {
		w.Fatal(err)
	}
}

// callDevice makes the request of a DEVICE turn, as the device of the person would.
func (l *login) callDevice() response {
	l.Helper()
	q := l.turn.Request
	r := httptest.NewRequest(q.Method, q.URL, bytes.NewReader([]byte(q.Body)))
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	for _, c := range q.Cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	rec := httptest.NewRecorder()
	l.mux.ServeHTTP(rec, r)
	return response{l.TB, rec.Code, rec.Header(), rec.Body.Bytes()}
}

// links returns the links of the inbox.
func (w *env) links() []string {
	w.Helper()
	var got struct{ Items []struct{ Link string } }
	w.call("GET", "/sandbox/inbox", "").want(200).decode(&got)
	var links []string
	for _, i := range got.Items {
		links = append(links, strings.TrimPrefix(i.Link, "https://"+host))
	}
	return links
}

// withoutCertificate is a request of a client without a certificate, whose answer is checked
// after the test.
func withoutCertificate(w *env, path string, status int, code string) (*httptest.ResponseRecorder, *http.Request) {
	rec := httptest.NewRecorder()
	w.Cleanup(func() { response{w.TB, rec.Code, rec.Header(), rec.Body.Bytes()}.wantError(status, code) })
	r := httptest.NewRequest("GET", "https://"+host+path, nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	return rec, r
}
