package console_test

import (
	"context"
	"encoding/base32"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/internal/console"
	"samla/internal/flowtest"
	"samla/internal/operator"
	"samla/internal/operators"
)

const password = "correct horse battery"

// site is a console with operators, as browsers reach it.
type site struct {
	*flowtest.Env
	service *operators.Service
	server  *httptest.Server
	url     string
}

func newSite(t *testing.T) *site { return newSiteIn(t, nil) }

func newSiteIn(t *testing.T, zone *time.Location) *site {
	t.Helper()
	s := &site{Env: flowtest.New(t, t.TempDir())}
	address := func() string { return s.url }
	var err error
	if s.service, err = operators.New(operators.Deps{Store: s.Store, Vault: s.Vault, Clock: s.Clock, IDs: s.IDs, URL: address}); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(console.New(console.Deps{Zone: zone, Views: views(), Operators: s.service, Doors: true, URL: address, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(s.server.Close)
	s.url = strings.Replace(s.server.URL, "127.0.0.1", "localhost", 1)
	return s
}

// browser is a browser with cookies of its own, which follows no redirect.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() browser {
	s.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask asks for a path, or posts a form, and returns status, page and where it leads.
func (b browser) ask(path string, form url.Values, headers ...string) (status int, page, to string) {
	b.Helper()
	method, sent := http.MethodGet, strings.NewReader("")
	if form != nil {
		method, sent = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.Context(), method, b.url+path, sent)
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
			b.Errorf("the cookie is %s", c)
		}
	}
	return resp.StatusCode, string(text), resp.Header.Get("Location")
}

var (
	hidden = regexp.MustCompile(`name="id" value="([^"]+)"`)
	keyRE  = regexp.MustCompile(`id="key">([A-Z2-7]+)<`)
)

func (s *site) add(name string, role operator.Role) (operator.Account, string) {
	s.Helper()
	a, link, err := s.service.Add(s.Context(), "", name, role)
	if err != nil {
		s.Fatal(err)
	}
	return a, strings.TrimPrefix(link, s.url)
}

// enrol goes by a link to a password and a code, as a person does, and returns the key.
func (b browser) enrol(link string) []byte {
	b.Helper()
	if status, page, _ := b.ask(link, nil); status != 200 || !strings.Contains(page, `data-begin="`+link+`/passkey"`) {
		b.Fatalf("%d %s", status, page)
	}
	_, page, _ := b.ask(link+"/password", url.Values{})
	id, key := hidden.FindStringSubmatch(page), keyRE.FindStringSubmatch(page)
	if id == nil || key == nil {
		b.Fatalf("no key in %s", page)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key[1])
	if err != nil {
		b.Fatal(err)
	}
	for _, wrong := range []url.Values{{"id": {id[1]}, "password": {"short"}, "code": {b.code(secret)}}, {"id": {id[1]}, "password": {password}, "code": {"000000"}}} {
		if status, page, _ := b.ask(link+"/password/confirm", wrong); status != http.StatusUnprocessableEntity || hidden.FindStringSubmatch(page)[1] != id[1] || strings.Contains(page, password) {
			b.Errorf("%d %s", status, page)
		}
	}
	status, page, _ := b.ask(link+"/password/confirm", url.Values{"id": {id[1]}, "password": {password}, "code": {b.code(secret)}})
	if status != 200 || strings.Count(page, "<li>") != 10 {
		b.Fatalf("%d %s", status, page)
	}
	return secret
}

func (s *site) code(key []byte) string {
	return operator.Code(key, operator.Step(s.Clock.Now()), operator.TOTPDigits)
}

func TestSignIn_ByFormsAlone(t *testing.T) {
	s := newSite(t)
	_, link := s.add("maria.ek", operator.Viewer)
	first := s.browser()
	key := first.enrol(link)
	if status, page, _ := first.ask("/jobs", nil); status != 200 || !strings.Contains(page, `<a href="/me">maria.ek</a> · viewer`) {
		t.Errorf("%d %s", status, page)
	}
	if status, page, _ := first.ask(link, nil); status != http.StatusGone || !strings.Contains(page, "was used") {
		t.Errorf("the link again: %d %s", status, page)
	}

	b := s.browser()
	for path, want := range map[string]string{"/": "/sign-in", "/jobs/7?x=1": "/sign-in?to=%2Fjobs%2F7%3Fx%3D1"} {
		if status, _, to := b.ask(path, nil); status != http.StatusSeeOther || to != want {
			t.Errorf("%s: %d to %s", path, status, to)
		}
	}
	if status, _, to := b.ask("/jobs/7/retry", url.Values{}); status != http.StatusSeeOther || to != "/sign-in" {
		t.Errorf("an act without a session: %d to %s", status, to)
	}
	if status, _, _ := b.ask("/jobs", nil, "Accept", "text/html; fragment"); status != http.StatusUnauthorized {
		t.Errorf("a script without a session: %d", status)
	}
	try := func(name, password, code, to string) (int, string, string) {
		return b.ask("/sign-in", url.Values{"name": {name}, "password": {password}, "code": {code}, "to": {to}})
	}
	s.Clock.Advance(operator.TOTPPeriod)
	_, unknown, _ := try("maria", password, s.code(key), "/jobs")
	status, page, _ := try("maria.ek", password, "000000", "/jobs")
	if status != http.StatusUnauthorized || strings.ReplaceAll(page, `value="maria.ek"`, `value="maria"`) != unknown || strings.Contains(page, password) {
		t.Errorf("a wrong code is told from a wrong name: %d\n%s\n%s", status, page, unknown)
	}
	for _, to := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""} {
		if _, _, went := b.ask("/sign-in?to="+url.QueryEscape(to), nil); went != "" {
			t.Error(went)
		}
		s.Clock.Advance(operator.TOTPPeriod)
		if status, _, went := try("maria.ek", password, s.code(key), to); status != http.StatusSeeOther || went != "/" {
			t.Errorf("to %q: %d to %s", to, status, went)
		}
		if status, _, to := b.ask("/sign-out", url.Values{}); status != http.StatusSeeOther || to != "/sign-in" {
			t.Errorf("sign out: %d to %s", status, to)
		}
	}
	s.Clock.Advance(operator.TOTPPeriod)
	if status, _, to := try("maria.ek", password, s.code(key), "/jobs/7?x=1"); status != http.StatusSeeOther || to != "/jobs/7?x=1" {
		t.Errorf("%d to %s", status, to)
	}
	if status, _, to := b.ask("/sign-in", nil); status != http.StatusSeeOther || to != "/" {
		t.Errorf("a sign-in with a session: %d to %s", status, to)
	}
	if status, _, _ := b.ask("/jobs/7/retry", url.Values{}); status != http.StatusForbidden {
		t.Errorf("a viewer acts: %d", status)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		if status, _, _ := b.ask("/sign-out", url.Values{}, "Sec-Fetch-Site", site); status != http.StatusForbidden {
			t.Errorf("%s signs out: %d", site, status)
		}
	}
}

func TestSignIn_SaysWhenTheNextAttemptIs(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var status int
	var page string
	for range operator.FreeAttempts + 1 {
		status, page, _ = b.ask("/sign-in", url.Values{"name": {"nobody"}, "password": {"x"}, "code": {"1"}})
	}
	if status != http.StatusTooManyRequests || !strings.Contains(page, "10:00:30") { // 08:00 UTC is 10:00 in Sweden
		t.Errorf("%d %s", status, page)
	}
}

// Times are those of the zone that the pages name.
func TestConsole_NamesTheZoneOfItsTimes(t *testing.T) {
	for _, c := range []struct {
		zone             *time.Location
		name, began, try string
	}{{nil, "Stockholm", "10:00", "10:00:30 (Stockholm time)"}, {time.FixedZone("Atlantic/Cape_Verde", -3600), "Cape Verde", "07:00", "07:00:30 (Cape Verde time)"}} {
		s := newSiteIn(t, c.zone)
		_, link := s.add("maria.ek", operator.Admin)
		b, other := s.browser(), s.browser()
		b.enrol(link)
		for _, path := range []string{"/me", "/operators"} {
			if _, page, _ := b.ask(path, nil); !strings.Contains(page, "Time zone: "+c.name+"<") || !strings.Contains(page, " "+c.began+"</time>") {
				t.Errorf("%s in %s: %s", path, c.name, page)
			}
		}
		page := ""
		for range operator.FreeAttempts + 1 {
			_, page, _ = other.ask("/sign-in", url.Values{"name": {"nobody"}, "password": {"x"}, "code": {"1"}})
		}
		if !strings.Contains(page, c.try) {
			t.Errorf("%s: %s", c.name, page)
		}
	}
}

// A key of codes that has expired is replaced for who has a link.
func TestEnrol_BeginsAnewAfterAnExpiredKey(t *testing.T) {
	s := newSite(t)
	_, link := s.add("maria.ek", operator.Viewer)
	b := s.browser()
	_, page, _ := b.ask(link+"/password", url.Values{})
	id := hidden.FindStringSubmatch(page)
	if id == nil {
		t.Fatal(page)
	}
	s.Clock.Advance(operator.CeremonyLife)
	status, page, _ := b.ask(link+"/password/confirm", url.Values{"id": {id[1]}, "password": {password}, "code": {"000000"}})
	if next := hidden.FindStringSubmatch(page); status != http.StatusUnprocessableEntity || next == nil || next[1] == id[1] || !strings.Contains(page, "The key for the app has expired") {
		t.Errorf("%d %s", status, page)
	}
	b.enrol(link)
}

func TestSession_IsEndedByOneselfAndByAnAdmin(t *testing.T) {
	s := newSite(t)
	_, link := s.add("maria.ek", operator.Acting)
	one, two := s.browser(), s.browser()
	key := one.enrol(link)
	s.Clock.Advance(operator.TOTPPeriod)
	two.ask("/sign-in", url.Values{"name": {"maria.ek"}, "password": {password}, "code": {s.code(key)}})
	in := func(b browser) bool {
		status, _, _ := b.ask("/jobs", nil)
		return status == 200
	}
	if !in(one) || !in(two) {
		t.Fatal("nobody is signed in")
	}
	_, page, _ := one.ask("/me", nil)
	session := regexp.MustCompile(`name="session" value="([^"]+)"`).FindStringSubmatch(page)
	if session == nil || !strings.Contains(page, "This one") {
		t.Fatal(page)
	}
	if status, _, _ := one.ask("/me/sessions/end", url.Values{"session": {session[1]}}); status != http.StatusSeeOther || in(two) || !in(one) {
		t.Error("one session does not end, or the wrong one", status)
	}

	admin, adminLink := s.add("admin", operator.Admin)
	boss := s.browser()
	boss.enrol(adminLink)
	a, err := s.service.Find(t.Context(), "maria.ek")
	if err != nil {
		t.Fatal(err)
	}
	if status, page, _ := boss.ask("/operators", nil); status != 200 || !strings.Contains(page, "maria.ek") {
		t.Errorf("%d %s", status, page)
	}
	if status, _, _ := one.ask("/operators", nil); status != http.StatusForbidden {
		t.Error("an operator sees operators", status)
	}
	if status, _, _ := one.ask("/operators/"+admin.ID+"/role", url.Values{"role": {"viewer"}}); status != http.StatusForbidden {
		t.Error("an operator changes a role", status)
	}
	if status, _, _ := boss.ask("/operators/"+a.ID+"/role", url.Values{"role": {"admin"}}); status != http.StatusSeeOther {
		t.Error(status)
	}
	if status, _, _ := one.ask("/operators", nil); status != 200 {
		t.Error("a session does not have the new role", status)
	}
	if status, _, _ := boss.ask("/operators/"+a.ID+"/end", url.Values{}); status != http.StatusSeeOther || in(one) {
		t.Error("an admin does not end sessions", status)
	}
	for _, c := range []struct {
		path string
		form url.Values
		want int
	}{
		{"/operators/" + a.ID + "/role", url.Values{"role": {"root"}}, 400}, {"/operators/x/remove", url.Values{}, 404}, {"/operators/" + a.ID + "/remove", url.Values{}, 303},
		{"/operators/" + admin.ID + "/remove", url.Values{}, 409}, {"/operators/" + admin.ID + "/role", url.Values{"role": {"viewer"}}, 409},
		{"/operators", url.Values{"name": {"Maria Ek"}, "role": {"viewer"}}, 422}, {"/operators", url.Values{"name": {"admin"}, "role": {"viewer"}}, 422}, {"/operators", url.Values{"name": {"new"}, "role": {"viewer"}}, 200},
	} {
		if status, page, _ := boss.ask(c.path, c.form); status != c.want {
			t.Errorf("%s %v: %d %s", c.path, c.form, status, page)
		}
	}
}

// A page that keeps itself fresh does not keep its session.
func TestSession_EndsBesideAPageThatKeepsItselfFresh(t *testing.T) {
	s := newSite(t)
	_, link := s.add("maria.ek", operator.Viewer)
	b := s.browser()
	b.enrol(link)
	for range 2 {
		s.Clock.Advance(operator.IdleLife / 2)
		b.ask("/jobs", nil, "Accept", "text/html; fragment")
	}
	if status, _, to := b.ask("/jobs", nil); status != http.StatusSeeOther || to != "/sign-in?to=%2Fjobs" {
		t.Errorf("%d to %s", status, to)
	}
}

func TestDoor_LetsInWhereThereAreDoors(t *testing.T) {
	s := newSite(t)
	link, err := s.service.Door(t.Context(), "dev", operator.Admin)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link, s.url)
	b := s.browser()
	if status, _, _ := b.ask(path, nil); status != 200 {
		t.Fatal(status)
	}
	if status, _, _ := b.ask("/jobs", nil); status != http.StatusSeeOther {
		t.Error("a GET signs in", status)
	}
	if status, _, to := b.ask(path, url.Values{}); status != http.StatusSeeOther || to != "/" {
		t.Error(status, to)
	}
	if status, _, _ := b.ask("/keys", nil); status != 200 {
		t.Error(status)
	}
	if status, _, _ := s.browser().ask("/door/x", url.Values{}); status != http.StatusGone {
		t.Error("a wrong door", status)
	}
	closed := console.New(console.Deps{Operators: s.service, URL: func() string { return "http://localhost:1" }, Log: slog.New(slog.DiscardHandler)})
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://localhost:1"+path, nil)
	if closed.ServeHTTP(w, r); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in" || len(w.Result().Cookies()) != 0 {
		t.Error("a console without doors has one", w.Code)
	}
}

// broken is a store that cannot be read.
type broken struct{ operators.Store }

func (broken) OperatorByEnrol(context.Context, string) (operator.Account, error) {
	return operator.Account{}, errors.New("disk full")
}

func TestConsole_LogsNoSecretOfALink(t *testing.T) {
	s := newSite(t)
	address := func() string { return "http://localhost:1" }
	service, err := operators.New(operators.Deps{Store: broken{s.Store}, Vault: s.Vault, Clock: s.Clock, IDs: s.IDs, URL: address})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	h := console.New(console.Deps{Operators: service, URL: address, Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address()+operators.EnrolPath+"the-secret", nil))
	if w.Code != 500 || !strings.Contains(log.String(), "disk full") || !strings.Contains(log.String(), "/enrol/{secret}") || strings.Contains(log.String(), "the-secret") {
		t.Errorf("%d: %s", w.Code, log.String())
	}
}

// endless is a body that does not end before end, and counts what was read of it.
type endless struct{ read, end int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read >= e.end {
		return 0, io.EOF
	}
	e.read += len(p)
	return copy(p, strings.Repeat("x", len(p))), nil
}

// A file in a form would go to the disk of the server.
func TestSignIn_ReadsNoLongForm(t *testing.T) {
	s := newSite(t)
	for kind, begin := range map[string]string{"application/x-www-form-urlencoded": "name=", "multipart/form-data; boundary=b": "--b\r\nContent-Disposition: form-data; name=\"name\"; filename=\"f\"\r\n\r\n"} {
		sent := &endless{end: 1 << 20}
		r := httptest.NewRequest(http.MethodPost, s.url+"/sign-in", io.MultiReader(strings.NewReader(begin), sent))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		if s.server.Config.Handler.ServeHTTP(w, r); w.Code != http.StatusUnauthorized || sent.read > 100<<10 {
			t.Errorf("%s: %d, %d bytes were read", kind, w.Code, sent.read)
		}
	}
}
