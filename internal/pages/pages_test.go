package pages_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/pages"
)

// ways is a Ways that records what it is asked, and answers what a test wants.
type ways struct {
	seen                   authorize.Seen
	err                    error
	visits, returns, codes []string // browser and what it brought
	denials                []string
	begins                 string // origin of the client's page
}

func (w *ways) BeginsAt(_ context.Context, _, origin string) (bool, error) {
	return origin == w.begins, w.err
}

func (w *ways) Deny(_ context.Context, _, browser string) (authorize.Seen, error) {
	w.denials = append(w.denials, browser)
	return w.seen, w.err
}

func (w *ways) Visit(_ context.Context, _, browser, _ string, confirmed bool) (authorize.Seen, error) {
	if confirmed {
		browser += " confirmed"
	}
	w.visits = append(w.visits, browser)
	return w.seen, w.err
}

func (w *ways) Return(_ context.Context, companyID, state, browser string, by consent.Carrier, what url.Values) (authorize.Seen, error) {
	w.returns = append(w.returns, companyID+" "+state+" "+browser+" "+string(by)+" "+what.Encode())
	return w.seen, w.err
}

func (w *ways) EnterCode(_ context.Context, _, browser, code string) (authorize.Seen, error) {
	w.codes = append(w.codes, browser+" "+code)
	return w.seen, w.err
}

type clients struct{}

func (clients) Client(context.Context, string) (client.Client, error) {
	return client.Client{Name: "Acme <b>AB</b>"}, nil
}

const (
	state   = "AZSXDgp0AHKAAqilNa06d3EAAAAAAAAAAAAAAAAAAAA"
	another = "BZSXDgp0AHKAAqilNa06d3EAAAAAAAAAAAAAAAAAAAA"
)

func newPages(w *ways, public string) http.Handler { return newPagesOf(w, public) }

func newPagesOf(w pages.Ways, public string) http.Handler {
	return pages.New(pages.Deps{Ways: w, Clients: clients{}, PublicURL: func() string { return public }, Log: slog.New(slog.DiscardHandler),
		Institutions: institution.Set{"se-bank": {Company: company.Company{ID: "se-bank", DisplayName: "Bank & Co"}}}})
}

func send(h http.Handler, method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPages_GiveABrowserOneCookie(t *testing.T) {
	for public, secure := range map[string]bool{"https://samla.test": true, "http://127.0.0.1:8080": false} {
		w := &ways{seen: authorize.Seen{View: authorize.ViewWorks, Company: "se-bank"}}
		h := newPages(w, public)
		first := send(h, "GET", "/go/"+state, "")
		cookies := first.Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].Secure != secure || cookies[0].SameSite != http.SameSiteLaxMode {
			t.Fatalf("%s: %+v", public, cookies)
		}
		again := send(h, "GET", "/go/"+state, "", "Cookie", cookies[0].String())
		if len(again.Cookies()) != 0 || len(w.visits) != 2 || w.visits[0] != w.visits[1] || len(w.visits[0]) < 22 {
			t.Errorf("%s: visits %q, cookies %v", public, w.visits, again.Cookies())
		}
	}
}

// A page that makes a browser open links to unknown states does not fill its cookies.
func TestPages_GiveNoCookieForAnUnknownState(t *testing.T) {
	for _, view := range []authorize.View{authorize.ViewUnknown, authorize.ViewElsewhere} {
		h := newPages(&ways{seen: authorize.Seen{View: view, Company: "se-bank"}}, "https://samla.test")
		for target, body := range map[string]string{"/go/" + state: "", "/callback/se-bank?code=c&state=" + state: "", "/callback/se-bank/" + state: "",
			"/callback/se-bank": "fragment=" + url.QueryEscape("code=c&state="+state), "/go/" + another: "begun=yes"} {
			method := "GET"
			if body != "" {
				method = "POST"
			}
			if got := send(h, method, target, body).Cookies(); len(got) != 0 {
				t.Errorf("%s: %v", target, got)
			}
		}
	}
}

// While the store has an outage, a browser that comes back looks again by itself: what it
// brings is in its address, and is stored once the outage is over.
func TestPages_LookAgainInAnOutage(t *testing.T) {
	down := errors.New("down")
	w := &ways{err: down}
	h := pages.New(pages.Deps{Ways: w, Clients: clients{}, PublicURL: func() string { return "https://samla.test" }, Log: slog.New(slog.DiscardHandler),
		Institutions: institution.Set{}, IsOutage: func(err error) bool { return errors.Is(err, down) }})
	for target, method := range map[string]string{"/callback/se-bank?code=c&state=" + state: "GET", "/go/" + state: "GET", "/go/" + another: "POST"} {
		r := send(h, method, target, "")
		again := strings.Contains(text(t, r), `http-equiv="refresh" content="5"`)
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "5" || again != (method == "GET") {
			t.Errorf("%s: %d, %s, looks again: %t", target, r.StatusCode, r.Header.Get("Retry-After"), again)
		}
	}
	w.err = errors.New("a fault of ours")
	if r := send(h, "GET", "/go/"+state, ""); r.StatusCode != http.StatusInternalServerError || r.Header.Get("Retry-After") != "" {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestPages_SendOn(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewGoes, Company: "se-bank", Leads: "https://bank.test/sign?a=1&b=2"}}
	h := newPages(w, "https://samla.test")
	if r := send(h, "GET", "/go/"+state, ""); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != w.seen.Leads {
		t.Errorf("%d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	// A form may not lead to another site (form-action), so the page goes on by itself.
	if r := send(h, "POST", "/go/"+state, "begun=yes"); r.StatusCode != http.StatusOK || !strings.Contains(text(t, r), `content="0; url=https://bank.test/sign?a=1&amp;b=2"`) {
		t.Errorf("the form is answered with %d", r.StatusCode)
	}
	if len(w.visits) != 2 || !strings.HasSuffix(w.visits[1], " confirmed") {
		t.Errorf("visits %q", w.visits)
	}
}

// Nothing but the person's own yes is one: no opening of the link, and no other form.
func TestPages_TakeOnlyAYesForAYes(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewAsks, Company: "se-bank", ClientID: "c"}}
	h := newPages(w, "https://samla.test")
	asked := text(t, send(h, "GET", "/go/"+state+"?begun=yes", "begun=yes"))
	for _, want := range []string{"Acme &lt;b&gt;AB&lt;/b&gt;", "Bank &amp; Co", "shown to the person who started this", `name="begun" value="yes"`, `name="begun" value="no"`} {
		if !strings.Contains(asked, want) {
			t.Errorf("the question has no %s:\n%s", want, asked)
		}
	}
	for _, body := range []string{"", "begun=", "begun=true", "begun=YES", "code="} {
		send(h, "POST", "/go/"+state+"?begun=yes", body)
	}
	if len(w.visits) != 6 || strings.Contains(strings.Join(w.visits, ""), "confirmed") || len(w.denials) != 0 {
		t.Errorf("visits %q, denials %q", w.visits, w.denials)
	}
	send(h, "POST", "/go/"+state+"?begun=yes", "begun=no")
	if len(w.visits) != 6 || len(w.denials) != 1 {
		t.Errorf("after a no: visits %q, denials %q", w.visits, w.denials)
	}
}

func TestPages_LeadBackToTheClient(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewEnded, Company: "se-bank", ClientID: "c", Consent: "consent-1", Leads: "https://client.test/back?keep=1",
		Status: consent.Failed, Failure: consent.AuthenticationCancelled}}
	r := send(newPages(w, ""), "GET", "/go/"+state, "")
	if got := r.Header.Get("Location"); got != "https://client.test/back?consentId=consent-1&error=AUTHENTICATION_CANCELLED&keep=1&status=FAILED" {
		t.Errorf("leads to %s", got)
	}
}

// Somebody else has to sign too, over days: the page says so and until when, looks seldom, and
// lets the person go back to the client, which learns that the consent still waits.
func TestPages_SayThatSomebodyElseHasToSign(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewOthersSign, Company: "se-bank", ClientID: "c", Consent: "consent-1", Status: consent.AwaitingAuthorization,
		Until: time.Date(2026, 12, 4, 10, 0, 0, 0, time.UTC)}}
	for _, leads := range []string{"", "https://client.test/back"} {
		w.seen.Leads = leads
		r := send(newPages(w, "https://samla.test"), "GET", "/go/"+state, "")
		body := text(t, r)
		if r.StatusCode != http.StatusOK || !strings.Contains(body, "somebody else has to sign") || !strings.Contains(body, "December 2026") || strings.Contains(body, "few seconds") || strings.Contains(body, `content="1"`) {
			t.Errorf("%d\n%s", r.StatusCode, body)
		}
		if strings.Contains(body, `href="https://client.test/back?consentId=consent-1&amp;status=AWAITING_AUTHORIZATION"`) != (leads != "") {
			t.Errorf("with %q:\n%s", leads, body)
		}
	}
}

func TestPages_WhatComesBackLeavesTheAddress(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewWorks, Company: "se-bank"}}
	h := newPages(w, "")
	for name, test := range map[string]struct{ method, target, body, want string }{ // want: how it was brought, and what
		"in the query":           {"GET", "/callback/se-bank?code=c&state=" + state, "", "query code=c&state=" + state},
		"state in the path":      {"GET", "/callback/se-bank/" + state, "", "query "},
		"both":                   {"GET", "/callback/se-bank/" + state + "?state=" + another, "", "query state=" + another},
		"in the fragment":        {"POST", "/callback/se-bank", "fragment=" + url.QueryEscape("#code=c&id_token=i&state="+state), "fragment code=c&id_token=i&state=" + state},
		"an error":               {"GET", "/callback/se-bank?error=access_denied&state=" + state, "", "query error=access_denied&state=" + state},
		"members that are twice": {"GET", "/callback/se-bank?code=a&code=b&state=" + state, "", "query code=a&code=b&state=" + state},
	} {
		w.returns = nil
		r := send(h, test.method, test.target, test.body)
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/go/"+state {
			t.Errorf("%s: %d to %s", name, r.StatusCode, r.Header.Get("Location"))
		}
		if len(w.returns) != 1 || !strings.HasPrefix(w.returns[0], "se-bank "+state+" ") || !strings.HasSuffix(w.returns[0], " "+test.want) {
			t.Errorf("%s: returned %q", name, w.returns)
		}
	}
}

func TestPages_FindTheOnlyWayOfABrowser(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewWorks, Company: "se-bank"}}
	h := newPages(w, "")
	one := send(h, "GET", "/go/"+state, "").Cookies()[0].String()
	two := send(h, "GET", "/go/"+another, "").Cookies()[0].String()
	for name, test := range map[string]struct {
		cookies []string
		known   bool
	}{"one way": {[]string{"Cookie", one}, true}, "two ways": {[]string{"Cookie", one, "Cookie", two}, false}, "none": {nil, false}} {
		w.returns = nil
		r := send(h, "GET", "/callback/se-bank?error=server_error", "", test.cookies...)
		if (len(w.returns) == 1) != test.known || (r.StatusCode == http.StatusNotFound) == test.known {
			t.Errorf("%s: %d, returned %q", name, r.StatusCode, w.returns)
		}
	}
}

// A consent can have two ways, as a login and then the page of the bank. A return without a
// state belongs to the one that the browser has gone last; the browser stays the same one.
func TestPages_FindTheLastWayOfAConsent(t *testing.T) {
	second := state[:30] + "B" + state[31:]
	w := &ways{seen: authorize.Seen{View: authorize.ViewGoes, Company: "se-bank", Leads: "https://bank.test/"}}
	h := newPages(w, "https://samla.test")
	cookie := send(h, "GET", "/go/"+state, "").Cookies()[0]
	w.seen.View = authorize.ViewElsewhere // for a link that leads nowhere nothing is remembered
	if again := send(h, "GET", "/go/"+second, "", "Cookie", cookie.String()).Cookies(); len(again) != 0 {
		t.Errorf("a link that leads nowhere sets %v", again)
	}
	w.seen.View = authorize.ViewGoes
	for _, method := range []string{"GET", "POST"} {
		w.visits, w.returns = nil, nil
		set := send(h, method, "/go/"+second, "begun=yes", "Cookie", cookie.String()).Cookies()
		if len(set) != 1 || set[0].Name != cookie.Name || !set[0].HttpOnly || !set[0].Secure {
			t.Fatalf("%s: cookies %v", method, set)
		}
		if again := send(h, "GET", "/go/"+second, "", "Cookie", set[0].String()).Cookies(); len(again) != 0 {
			t.Errorf("%s: a reload sets %v", method, again)
		}
		send(h, "GET", "/callback/se-bank?code=c", "", "Cookie", set[0].String())
		browser := strings.TrimSuffix(w.visits[0], " confirmed")
		if want := "se-bank " + second + " " + browser + " "; len(w.returns) != 1 || !strings.HasPrefix(w.returns[0], want) || !strings.HasSuffix(cookie.Value, "."+browser) {
			t.Errorf("%s: returned %q instead of %q", method, w.returns, want)
		}
	}
}

// Prefetches, previews and HEAD change nothing. So do requests that no bank makes.
func TestPages_ChangeNothingForWhoDoesNotLook(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewWorks, Company: "se-bank"}}
	h := newPages(w, "")
	for _, target := range []string{"/go/" + state, "/callback/se-bank?code=c&state=" + state, "/callback/se-bank/" + state} {
		for name, request := range map[string][]string{"HEAD": nil, "prefetch": {"Sec-Purpose", "prefetch;prerender"}, "old prefetch": {"Purpose", "prefetch"}, "preview": {"X-Purpose", "preview"}} {
			method := http.MethodGet
			if name == "HEAD" {
				method = http.MethodHead
			}
			if r := send(h, method, target, "", request...); len(r.Cookies()) != 0 || r.Header.Get("Location") != "" {
				t.Errorf("%s %s: %d, cookies %v", name, target, r.StatusCode, r.Cookies())
			}
		}
	}
	for _, request := range [][2]string{{"GET", "/go/short"}, {"GET", "/go/"}, {"GET", "/callback/"}, {"GET", "/callback/se-bank?code=c&state=x"},
		{"GET", "/callback/se-bank?code=" + strings.Repeat("c", 20000) + "&state=" + state}, {"GET", "/callback/se-bank/" + state + "/more"},
		{"POST", "/callback/se-bank/" + state}, {"DELETE", "/go/" + state}, {"GET", "/pages/../pages.go"}, {"GET", "/pages/page.html"}} {
		if r := send(h, request[0], request[1], ""); r.StatusCode < 300 || r.Header.Get("Location") != "" && r.StatusCode != http.StatusMovedPermanently && r.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("%s %.60s: %d", request[0], request[1], r.StatusCode)
		}
	}
	if len(w.visits)+len(w.returns) != 0 {
		t.Errorf("visits %q, returns %q", w.visits, w.returns)
	}
}

func TestPages_AreSafeToShow(t *testing.T) {
	for _, view := range []authorize.View{authorize.ViewUnknown, authorize.ViewElsewhere, authorize.ViewAsks, authorize.ViewStopped, authorize.ViewWorks, authorize.ViewShowsCode,
		authorize.ViewEntersCode, authorize.ViewOthersSign, authorize.ViewEnded} {
		for _, language := range []string{"en", "sv-SE,sv;q=0.9", "fr"} {
			w := &ways{seen: authorize.Seen{View: view, Company: "se-bank", ClientID: "c", Code: "ABC234", Status: consent.Authorized}}
			r := send(newPages(w, ""), "GET", "/go/"+state, "", "Accept-Language", language)
			body := text(t, r)
			for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
				if r.Header.Get(name) != want {
					t.Errorf("%s: %s is %q", view, name, r.Header.Get(name))
				}
			}
			if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: %q", view, csp)
			}
			if strings.Contains(body, "<b>AB") || strings.Contains(body, "Bank & Co") || strings.Contains(body, "%!") || !strings.Contains(body, `data-view="`+string(view)+`"`) {
				t.Errorf("%s in %s:\n%s", view, language, body)
			}
			if seconds := map[authorize.View]string{authorize.ViewWorks: "1", authorize.ViewOthersSign: "60"}[view]; strings.Contains(body, "http-equiv") != (seconds != "") ||
				!strings.Contains(body, `content="`+seconds) {
				t.Errorf("%s: looks again after %q s:\n%s", view, seconds, body)
			}
			if strings.Contains(body, "ABC234") != (view == authorize.ViewShowsCode) {
				t.Errorf("%s: shows the code", view)
			}
		}
	}
}

func TestPages_SayWhenSomethingIsBroken(t *testing.T) {
	w := &ways{err: errors.New("the store is away")}
	if r := send(newPages(w, ""), "GET", "/go/"+state, ""); r.StatusCode != http.StatusInternalServerError || strings.Contains(text(t, r), "is away") {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestPages_TakeCodesAsPeopleTypeThem(t *testing.T) {
	w := &ways{seen: authorize.Seen{View: authorize.ViewEntersCode, Company: "se-bank"}}
	send(newPages(w, ""), "POST", "/go/"+state, "code="+url.QueryEscape(" abc-234 "))
	if len(w.codes) != 1 || !strings.HasSuffix(w.codes[0], " ABC234") {
		t.Errorf("codes %q", w.codes)
	}
}

// Another site cannot say for a person that the person has begun, and cannot bring a
// fragment.
func TestPages_TakeFormsOnlyFromThemselves(t *testing.T) {
	for name, test := range map[string]struct {
		header []string
		taken  bool
	}{
		"our page":                      {[]string{"Sec-Fetch-Site", "same-origin"}, true},
		"another site":                  {[]string{"Sec-Fetch-Site", "cross-site"}, false},
		"another site, older browser":   {[]string{"Origin", "https://evil.example"}, false},
		"a program, not a browser":      {nil, true},
		"our page, in an older browser": {[]string{"Origin", "http://example.com"}, true}, // the host of the test's requests
	} {
		w := &ways{seen: authorize.Seen{View: authorize.ViewWorks, Company: "se-bank"}, begins: "https://shop.example"}
		h := newPages(w, "")
		for _, body := range []string{"begun=yes", "begun=no", "code=ABC234"} {
			if r := send(h, "POST", "/go/"+state, body, test.header...); !test.taken && (r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/go/"+state || len(r.Cookies()) != 0) {
				t.Errorf("%s: %s is answered with %d", name, body, r.StatusCode)
			}
		}
		send(h, "POST", "/callback/se-bank", "fragment="+url.QueryEscape("#code=c&state="+state), test.header...)
		if (len(w.visits) == 1) != test.taken || (len(w.denials) == 1) != test.taken || (len(w.codes) == 1) != test.taken || (len(w.returns) == 1) != test.taken {
			t.Errorf("%s: visits %q, denials %q, returns %q", name, w.visits, w.denials, w.returns)
		}
	}
}

// The page of the client can say that the person has begun there, and nothing else. The
// browser gets its cookie with that.
func TestPages_TakeTheWordOfThePageOfTheClient(t *testing.T) {
	from := func(origin string) []string { return []string{"Origin", origin, "Sec-Fetch-Site", "cross-site"} }
	for name, test := range map[string]struct {
		body, origin string
		taken        bool
	}{
		"yes":                {"begun=yes", "https://shop.example", true},
		"of another site":    {"begun=yes", "https://evil.example", false},
		"of a hidden one":    {"begun=yes", "null", false},
		"of none":            {"begun=yes", "", false},
		"no":                 {"begun=no", "https://shop.example", false},
		"a code":             {"code=ABC234", "https://shop.example", false},
		"a code beside":      {"code=ABC234&begun=yes", "https://shop.example", false},
		"yes in the address": {"", "https://shop.example", false},
	} {
		w := &ways{seen: authorize.Seen{View: authorize.ViewGoes, Company: "se-bank", Leads: "https://bank.test/"}, begins: "https://shop.example"}
		r := send(newPages(w, "https://samla.test"), "POST", "/go/"+state+"?begun=yes", test.body, from(test.origin)...)
		taken := len(w.visits) == 1 && strings.HasSuffix(w.visits[0], " confirmed") && len(r.Cookies()) == 1 && r.StatusCode == http.StatusOK
		asked := len(w.visits) == 0 && len(r.Cookies()) == 0 && r.Header.Get("Location") == "/go/"+state
		if taken != test.taken || asked == test.taken || len(w.denials)+len(w.codes) != 0 {
			t.Errorf("%s: %d, visits %q", name, r.StatusCode, w.visits)
		}
	}
	w := &ways{err: errors.New("the store is away")}
	if r := send(newPages(w, ""), "POST", "/go/"+state, "begun=yes", from("https://shop.example")...); r.StatusCode != http.StatusInternalServerError || len(w.visits) != 0 {
		t.Errorf("%d", r.StatusCode)
	}
	if r := send(newPages(w, ""), "POST", "/go/short", "begun=yes", from("https://shop.example")...); r.StatusCode != http.StatusNotFound {
		t.Errorf("%d for no state", r.StatusCode)
	}
}

// The form of the client's page comes without the cookie that the browser has. Who may go no
// further by it goes on by the cookie, which stays as it is; so it does if something breaks.
func TestPages_FormOfTheClientLeavesTheCookieAlone(t *testing.T) {
	from := []string{"Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site"}
	w := &ways{seen: authorize.Seen{View: authorize.ViewElsewhere, Company: "se-bank"}, begins: "https://shop.example"}
	h := newPages(w, "https://samla.test")
	if r := send(h, "POST", "/go/"+state, "begun=yes", from...); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/go/"+state || len(r.Cookies()) != 0 {
		t.Errorf("the fifth press: %d to %q, cookies %v", r.StatusCode, r.Header.Get("Location"), r.Cookies())
	}
	if r := send(h, "POST", "/go/"+state, "begun=yes", "Sec-Fetch-Site", "same-origin"); r.StatusCode != http.StatusOK {
		t.Errorf("our own form, which brings the cookie: %d", r.StatusCode)
	}
	broken := &brokenVisit{ways{begins: "https://shop.example"}}
	if r := send(newPagesOf(broken, ""), "POST", "/go/"+state, "begun=yes", from...); r.StatusCode != http.StatusInternalServerError || len(r.Cookies()) != 0 {
		t.Errorf("%d, cookies %v", r.StatusCode, r.Cookies())
	}
}

// brokenVisit fails when the link is opened.
type brokenVisit struct{ ways }

func (*brokenVisit) Visit(context.Context, string, string, string, bool) (authorize.Seen, error) {
	return authorize.Seen{}, errors.New("the store is away")
}
