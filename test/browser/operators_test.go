package browser

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"samla/internal/console"
	"samla/internal/flowtest"
	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
	"samla/test/qrscan"
)

const consolePassword = "correct horse battery"

// authenticator gives the page a device with passkeys, whose person is verified or not.
func (p page) authenticator(verifies bool) {
	p.t.Helper()
	p.do(map[string]any{"do": "authenticator", "page": p.name, "verifies": verifies}, nil)
}

// An admin enrols with a passkey and makes an operator, who enrols with a password and a
// code; both sign in and out. Each page and state is judged.
func TestOperators(t *testing.T) {
	d := newDriver(t)
	e := flowtest.New(t, t.TempDir())
	var url string
	address := func() string { return url }
	service, err := operators.New(operators.Deps{Store: e.Store, Vault: e.Vault, Clock: e.Clock, IDs: e.IDs, URL: address})
	if err != nil {
		t.Fatal(err)
	}
	kit := look.Must(console.NewKit(fstest.MapFS{"now.html": {Data: []byte(`{{define "now"}}<h1>Now</h1>{{end}}`)}}))
	now := console.View{Path: "/", Title: "Now", Handler: func(w http.ResponseWriter, r *http.Request) {
		console.Render(w, r, kit, look.Page{Content: "now", View: "NOW", Title: "Now"})
	}}
	server := httptest.NewServer(console.New(console.Deps{Views: []console.View{now}, Operators: service, Doors: true, URL: address, Env: "test", Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	code := func(key []byte) string { return operator.Code(key, operator.Step(e.Clock.Now()), operator.TOTPDigits) }

	// The admin, with a passkey.
	_, link, err := service.Add(t.Context(), "", "maria.ek", operator.Admin)
	if err != nil {
		t.Fatal(err)
	}
	admin := d.page("admin")
	admin.open(link)
	admin.waitFor("button[data-passkey]:not([hidden])")
	admin.judge("operators-enrol")
	if stops := admin.stops(); len(stops) != 3 {
		t.Errorf("the Tab key stops at %q", stops)
	}
	admin.authenticator(true)
	admin.click("button[data-passkey=create]")
	admin.in("NOW")
	admin.click("a[href='/me']")
	admin.in("ME")
	admin.judge("operators-me-passkey")
	admin.click("button[data-passkey=create]")
	admin.waitFor("#passkey-says:not(:empty)")
	if text := admin.text("#passkey-says"); text != "This device has a passkey for you already." {
		t.Errorf("a second passkey of the device: %s", text)
	}
	admin.click("form[action='/me/passkey/remove'] button")
	admin.waitFor(".problem")
	admin.judge("operators-last-way")
	admin.click("form[action='/sign-out'] button")
	admin.in("SIGN_IN")
	admin.waitFor("button[data-passkey]:not([hidden])")
	admin.judge("operators-sign-in")

	// A passkey whose person is not verified is one factor, and refused.
	admin.authenticator(false)
	admin.click("button[data-passkey=get]")
	admin.waitFor("#passkey-says:not(:empty)")
	if text := admin.text("#passkey-says"); text != "No passkey was used." {
		t.Errorf("an unverified person: %s", text)
	}
	admin.authenticator(true)
	admin.open(url + "/me?x=1")
	admin.in("SIGN_IN")
	admin.click("button[data-passkey=get]")
	admin.in("ME")
	if at := admin.url(); at != url+"/me?x=1" {
		t.Errorf("the sign-in leads to %s", at)
	}

	// An operator, with a password and a code.
	admin.open(url + "/operators")
	admin.fill("#name", "kim")
	admin.click("form[action='/operators'] button")
	admin.in("LINK")
	admin.judge("operators-link")
	kim := d.page("kim")
	kim.open(strings.TrimSpace(admin.text("#link")))
	kim.click("form[action$='/password'] button")
	kim.in("CHOOSE")
	kim.judge("operators-choose")
	uri := qrscan.Decode(t, base64.StdEncoding.EncodeToString(kim.screenshot(".totp")))
	_, text, _ := strings.Cut(uri, "secret=")
	key, err := operator.KeyOf(text)
	if err != nil || !strings.HasPrefix(uri, "otpauth://totp/Samla%20console:kim?") {
		t.Fatalf("the picture says %s (%v)", uri, err)
	}
	choose := func(password, code string) {
		kim.fill("#password", password)
		kim.fill("#code", code)
		kim.click("main form button")
	}
	choose(consolePassword, "000000")
	kim.waitFor(".problem")
	kim.judge("operators-choose-wrong")
	choose(consolePassword, code(key))
	kim.in("CODES")
	kim.judge("operators-codes")
	recovery := strings.Fields(kim.text("#recovery"))
	kim.click("main a.btn")
	kim.in("NOW")
	if nav := kim.text("header.side"); strings.Contains(nav, "Operators") || !strings.Contains(nav, "kim · viewer") {
		t.Errorf("a viewer sees %q", nav)
	}
	kim.open(url + "/operators")
	kim.in("MESSAGE")
	kim.judge("operators-denied")

	// The admin ends the session; the next page is the sign-in.
	admin.open(url + "/operators")
	admin.in("OPERATORS")
	admin.judge("operators")
	admin.click("tr:has-text('kim') summary")
	admin.click("tr:has-text('kim') form[action$='/end'] button")
	admin.waitURL(url + "/operators")
	kim.open(url + "/me")
	kim.in("SIGN_IN")

	// The second factor: wrong, used, right, a recovery code; then too many wrong ones.
	signIn := func(password, code string) {
		kim.fill("#name", "kim")
		kim.fill("#password", password)
		kim.fill("#code", code)
		kim.click("main form button")
	}
	signIn(consolePassword, code(key)) // used at the enrolment
	kim.waitFor(".problem")
	kim.judge("operators-sign-in-wrong")
	e.Clock.Advance(operator.TOTPPeriod)
	signIn(consolePassword, code(key))
	kim.in("ME")
	kim.judge("operators-me-password")
	for _, code := range []string{recovery[0], recovery[0]} {
		kim.open(url + "/me")
		kim.click("form[action='/sign-out'] button")
		kim.in("SIGN_IN")
		signIn(consolePassword, code)
		kim.waitFor("main:is([data-view=NOW], :has(.problem))")
	}
	if text := kim.text(".problem"); text != "The name, the password or the code is wrong." {
		t.Errorf("a recovery code again: %s", text)
	}
	for range operator.FreeAttempts {
		signIn("wrong", "000000")
		kim.waitFor(".problem")
	}
	if text := kim.text(".problem"); !strings.HasPrefix(text, "There were too many wrong attempts. The next one is possible at ") {
		t.Errorf("after many wrong attempts: %s", text)
	}
	kim.judge("operators-wait")

	door, err := service.Door(t.Context(), "dev", operator.Viewer)
	if err != nil {
		t.Fatal(err)
	}
	dev := d.page("dev")
	dev.open(door)
	dev.judge("operators-door")
	dev.click("main button")
	dev.in("NOW")
	dev.open(link)
	dev.in("LINK_END")
	dev.judge("operators-link-end")

	var violations, hosts []string
	d.do(map[string]any{"do": "violations"}, &violations)
	d.do(map[string]any{"do": "hosts"}, &hosts)
	if len(violations) > 0 || len(hosts) != 1 {
		t.Errorf("violations %q, hosts %q", violations, hosts)
	}
}
