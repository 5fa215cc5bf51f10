package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/operator"
)

// Who changes a way to sign in, or an operator, has proved who they are within 10 minutes.
func TestFresh_IsAskedForBeforeWhatMatters(t *testing.T) {
	s := newSite(t)
	a, link := s.add("boss", operator.Admin)
	other, _ := s.add("other", operator.Viewer)
	b := s.browser()
	key := b.enrol(link)
	if status, page, _ := b.ask("/me/password", nil); status != 200 || !strings.Contains(page, `id="key"`) {
		t.Fatalf("a fresh session is asked: %d %s", status, page)
	}
	s.Clock.Advance(operator.FreshLife)
	ways := map[string]string{ // what is asked for, and the page after the proof
		"/me/password/confirm": "/me/password", "/me/passkey/remove": "/me", "/operators/" + other.ID + "/role": "/operators",
		"/operators/" + other.ID + "/reset": "/operators", "/operators/" + other.ID + "/remove": "/operators",
	}
	s.Clock.Advance(operator.CeremonyLife)
	form := url.Values{"name": {"new.one"}, "role": {"operator"}}
	for path, back := range ways {
		if status, _, to := b.ask(path, form); status != http.StatusSeeOther || to != "/me/prove?to="+url.QueryEscape(back) {
			t.Errorf("%s: %d to %s", path, status, to)
		}
	}
	if status, _, to := b.ask("/me/password", nil); status != http.StatusSeeOther || to != "/me/prove?to=%2Fme%2Fpassword" {
		t.Errorf("new codes: %d to %s", status, to)
	}
	for _, path := range []string{"/me/passkey", "/me/passkey/x"} {
		if status, page, _ := b.ask(path, url.Values{"x": {}}, "Content-Type", "application/json"); status != http.StatusForbidden || !strings.Contains(page, `"to":"/me/prove?to=%2Fme"`) {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
	_, _, to := b.ask("/operators", form)
	if to != "/me/prove?to="+url.QueryEscape("/operators?name=new.one&role=operator#add") {
		t.Fatal(to)
	}
	if _, err := s.service.Find(t.Context(), "new.one"); err == nil {
		t.Fatal("an operator was made")
	}
	for path, want := range map[string]int{"/operators": 200, "/me": 200, "/jobs": 200} { // seeing is not asked
		if status, _, _ := b.ask(path, nil); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	status, page, _ := b.ask(to, nil)
	if status != 200 || !strings.Contains(page, "prove once more that you are boss") || !strings.Contains(page, `name="to" value="/operators?name=new.one&amp;role=operator#add"`) || strings.Contains(page, "With your passkey") {
		t.Fatalf("%d %s", status, page)
	}
	goOn := func(password, code string) (int, string, string) {
		return b.ask("/me/prove", url.Values{"password": {password}, "code": {code}, "to": {"/operators?name=new.one&role=operator#add"}, "name": {"other"}})
	}
	if status, page, _ := goOn(password, "000000"); status != http.StatusUnauthorized || !strings.Contains(page, "The password or the code is wrong") || strings.Contains(page, password) {
		t.Errorf("%d %s", status, page)
	}
	if status, _, _ := b.ask("/operators", form); status != http.StatusSeeOther {
		t.Error("a wrong code is a proof", status)
	}
	before := s.session(b)
	if status, _, went := goOn(password, s.code(key)); status != http.StatusSeeOther || went != "/operators?name=new.one&role=operator#add" {
		t.Fatalf("%d to %s", status, went)
	}
	if after := s.session(b); after == before {
		t.Error("the secret of the session is the same")
	}
	if sessions, err := s.service.Sessions(t.Context(), a.ID); err != nil || len(sessions) != 1 {
		t.Errorf("the session of before goes on: %v, %v", sessions, err)
	}
	if status, page, _ := b.ask("/operators?name=new.one&role=operator", nil); status != 200 || !strings.Contains(page, `value="new.one"`) || !strings.Contains(page, "<option selected>operator</option></select></div>") && !strings.Contains(page, "<option selected>operator</option><option>admin") {
		t.Errorf("what was typed is lost: %d %s", status, page)
	}
	if status, page, _ := b.ask("/operators", form); status != 200 || !strings.Contains(page, "/enrol/") {
		t.Errorf("%d %s", status, page)
	}
	for _, to := range []string{"https://evil.example", "//evil.example"} {
		if _, page, _ := b.ask("/me/prove?to="+url.QueryEscape(to), nil); strings.Contains(page, "evil") {
			t.Error(page)
		}
	}
	if status, _, _ := b.ask("/me/prove", url.Values{}, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Error("another site proves", status)
	}
	if status, _, to := s.browser().ask("/me/prove", url.Values{}); status != http.StatusSeeOther || to != "/sign-in" {
		t.Error("without a session", status, to)
	}
}

func (s *site) session(b browser) string {
	s.Helper()
	at, err := url.Parse(s.url)
	if err != nil {
		s.Fatal(err)
	}
	return b.client.Jar.Cookies(at)[0].Value
}

// A proof is no way to guess a password: its limit is that of the sign-in.
func TestProve_IsLimitedAsTheSignIn(t *testing.T) {
	s := newSite(t)
	_, link := s.add("boss", operator.Admin)
	b := s.browser()
	key := b.enrol(link)
	s.Clock.Advance(operator.FreshLife)
	for range operator.FreeAttempts {
		if status, _, _ := b.ask("/me/prove", url.Values{"password": {"wrong"}, "code": {s.code(key)}}); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	right := url.Values{"name": {"boss"}, "password": {password}, "code": {s.code(key)}}
	for _, path := range []string{"/me/prove", "/sign-in"} {
		if status, page, _ := b.ask(path, right); status != http.StatusTooManyRequests || !strings.Contains(page, "too many wrong attempts") {
			t.Errorf("%s: %d %s", path, status, page)
		}
	}
}

// A form that began in time may end a little later; a door is never asked.
func TestFresh_HasTimeForTheForm(t *testing.T) {
	s := newSite(t)
	_, link := s.add("boss", operator.Admin)
	b := s.browser()
	b.enrol(link)
	s.Clock.Advance(operator.FreshLife - time.Second)
	_, page, _ := b.ask("/me/password", nil)
	s.Clock.Advance(operator.CeremonyLife - time.Second)
	id := hidden.FindStringSubmatch(page)
	if id == nil {
		t.Fatal(page)
	}
	if status, page, _ := b.ask("/me/password/confirm", url.Values{"id": {id[1]}, "password": {"short"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", status, page)
	}
	// A key that is not known leads to the page that asks for a proof, and makes none.
	if status, page, to := b.ask("/me/password/confirm", url.Values{"id": {"x"}, "password": {password}, "code": {"000000"}}); status != http.StatusSeeOther || to != "/me/password" || strings.Contains(page, `id="key"`) {
		t.Errorf("an unknown key: %d to %s", status, to)
	}
	if status, _, to := b.ask("/me/password", nil); status != http.StatusSeeOther || !strings.HasPrefix(to, "/me/prove") {
		t.Errorf("%d to %s", status, to)
	}
	s.Clock.Advance(2 * time.Second)
	if status, _, _ := b.ask("/me/password/confirm", url.Values{"id": {id[1]}, "password": {"short"}}); status != http.StatusSeeOther {
		t.Error(status)
	}
	door, err := s.service.Door(t.Context(), "dev", operator.Admin)
	if err != nil {
		t.Fatal(err)
	}
	d := s.browser()
	d.ask(strings.TrimPrefix(door, s.url), url.Values{})
	s.Clock.Advance(operator.FreshLife + time.Minute)
	if status, _, to := d.ask("/me/password", nil); status != 200 {
		t.Error("a door is asked", status, to)
	}
}
