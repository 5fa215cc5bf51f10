package browser

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/internal/audit/chain"
	"samla/internal/clock"
	"samla/internal/clock/clocktest"
)

// bankIDBank has a QR code, and no page of its own.
const bankIDBank = "se-demo-psd2"

// bertil is one of Skatteverket's test numbers, of nobody who has given a permission.
const bertil = "198208149297"

// sizes and schemes in which each page is judged, and pictures are taken.
var (
	sizes   = map[string][2]int{"phone": {320, 700}, "desktop": {1280, 900}}
	schemes = []string{"light", "dark"}
)

// judge fails for what is wrong with a page: on a phone in the light, on a desktop in the
// dark. With the folder SAMLA_SHOTS it judges each size in each scheme, and takes pictures
// for people to look at.
func (p page) judge(name string) {
	p.t.Helper()
	for size, wh := range sizes {
		for _, scheme := range schemes {
			if os.Getenv("SAMLA_SHOTS") == "" && (size == "phone") != (scheme == "light") {
				continue
			}
			how := map[string]any{"do": "judge", "page": p.name, "width": wh[0], "height": wh[1], "scheme": scheme}
			var found []string
			p.do(how, &found)
			for _, f := range found {
				p.t.Errorf("%s, %s, %s: %.400s", name, size, scheme, f)
			}
			if dir := os.Getenv("SAMLA_SHOTS"); dir != "" {
				how["do"], how["path"] = "picture", filepath.Join(dir, name+"-"+size+"-"+scheme+".png")
				p.do(how, nil)
			}
		}
	}
}

// judgeAll is judge; with SAMLA_SHOTS in Swedish too. It loads the page again then.
func (p page) judgeAll(name string) {
	p.t.Helper()
	if os.Getenv("SAMLA_SHOTS") == "" {
		p.judge(name)
		return
	}
	at, query, _ := strings.Cut(p.url(), "?")
	joint := "?"
	if query != "" {
		at, joint = at+"?"+query, "&"
	}
	for _, l := range []string{"sv", "en"} {
		p.open(at + joint + "lang=" + l)
		p.judge(name + "-" + l)
	}
}

// stops are where the Tab key stops. Each must have a ring.
func (p page) stops() (all []string) {
	p.t.Helper()
	p.do(map[string]any{"do": "stops", "page": p.name}, &all)
	for _, stop := range all {
		if strings.HasPrefix(stop, "!") {
			p.t.Errorf("the focus on %q is not seen", stop[1:])
		}
	}
	return all
}

// permit gives a permission at the bank with the BankID app, and collects once under it.
func (w *world) permit() {
	w.t.Helper()
	ctx := w.t.Context()
	id, err := w.client.CreateConsent(ctx, w.token, apiclient.ConsentRequest{Company: bankIDBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", PersonalNumber: maja, IPAddress: "192.0.2.1"})
	if err != nil {
		w.t.Fatal(err)
	}
	s := w.await(id, "AWAITING_AUTHORIZATION")
	clocktest.Poll(w.t, "a QR text of "+id, func() bool {
		if s.AuthInstructions != nil && s.AuthInstructions.QRData != "" {
			return true
		}
		if s, err = w.client.PollConsent(ctx, w.token, id); err != nil {
			w.t.Fatal(err)
		}
		return false
	})
	if err := w.phone.Act(ctx, "approve", "", s.AuthInstructions.QRData, maja); err != nil {
		w.t.Fatal(err)
	}
	w.await(id, "AUTHORIZED")
	collection, err := w.client.StartCollection(ctx, w.token, bankIDBank, id, "192.0.2.1")
	if err != nil {
		w.t.Fatal(err)
	}
	if status, err := w.client.AwaitCollection(ctx, clock.System(), w.token, collection, pollEvery); err != nil || !strings.HasPrefix(status, "COMPLETED") {
		w.t.Fatalf("%s, %v", status, err)
	}
}

// permissionLink makes a link to My permissions for the person.
func (w *world) permissionLink(user string) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.client.Base+"/users/"+user+"/permission-links", strings.NewReader(`{"language":"sv"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization-Token", w.APIKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	var link struct{ URL string }
	body, err := io.ReadAll(answer.Body)
	if err != nil || json.Unmarshal(body, &link) != nil || answer.StatusCode != http.StatusCreated {
		w.t.Fatalf("%d %s %v", answer.StatusCode, body, err)
	}
	return link.URL
}

// A person opens the link of a client, looks, downloads, withdraws and erases, in two
// languages; each page is judged.
func TestPermissions(t *testing.T) {
	d := newDriver(t)
	w := newWorld(t)
	user, err := w.client.CreateUser(t.Context(), "looker")
	if err != nil {
		t.Fatal(err)
	}
	if w.token, err = w.client.CreateSession(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	w.permit()
	link := w.permissionLink(user.ID)
	p := d.page("person")
	view := func(name string) { p.waitFor("main[data-view=" + name + "]") }
	both := func(name, path string) {
		t.Helper()
		for _, lang := range []string{"en", "sv"} {
			joint := "?"
			if strings.Contains(path, "?") {
				joint = "&"
			}
			p.open(w.client.Base + path + joint + "lang=" + lang)
			if got := p.attribute("html", "lang"); got != lang {
				t.Errorf("%s is in %q", name, got)
			}
			p.judge(name + "-" + lang)
		}
	}
	both("permissions-signin", "/permissions")
	both("permissions-link", strings.TrimPrefix(link, w.client.Base))
	p.click("main button")
	view("LIST")
	both("permissions", "/permissions")
	if stops := p.stops(); !slices.Contains(stops, "Ta tillbaka hos Demobanken") && !slices.ContainsFunc(stops, func(s string) bool { return strings.HasPrefix(s, "Ta tillbaka") }) {
		t.Errorf("the Tab key stops at %q", stops)
	}
	history := p.attribute("article a", "href")
	both("permissions-history", history)
	if text := p.text("tbody"); !strings.Contains(text, "Du var med") {
		t.Errorf("the history says %q", text)
	}

	both("permissions-download", "/permissions/download")
	p.click("main form button")
	p.waitFor("a[href='/permissions/archive']")
	both("permissions-ready", "/permissions/download")
	w.checkArchive(p)

	w.signsInToPermissions(d)
	p.open(w.client.Base + "/permissions")
	p.click("form[action^='/permissions/withdraw'] button")
	p.waitFor("#withdrawn")
	var focused string
	p.do(map[string]any{"do": "focused", "page": p.name}, &focused)
	if !strings.HasPrefix(focused, "Tillbakadraget.") {
		t.Errorf("the focus is on %q", focused)
	}
	p.judge("permissions-withdrawn-sv")
	w.givesAgain(p)

	both("permissions-erase", "/permissions/erase")
	p.click("main form button")
	p.waitFor("[role=alert]")
	p.judge("permissions-erase-error-sv")
	p.click("#sure")
	p.click("main form button")
	view("ERASED")
	p.judge("permissions-erased-sv")
	p.open(link)
	view("END")
	p.judge("permissions-link-unknown-sv")
	w.clean(d)
}

// signsInToPermissions signs the person in with BankID in another browser: with the code
// on the page, and on the same device after a cancelled one.
func (w *world) signsInToPermissions(d *driver) {
	w.t.Helper()
	p := d.page("identified")
	p.open(w.client.Base + "/permissions")
	p.in("SIGN_IN")
	p.click("button[value=other]")
	p.in("SIGN_IN_QR")
	p.judge("permissions-signin-qr")
	w.scans(p, "open", maja)
	p.in("SIGN_IN_IN")
	p.judge("permissions-signin-app")
	p.click("header button") // cancel
	p.in("SIGN_IN")
	p.click("button[value=this]")
	p.in("SIGN_IN_APP")
	p.judge("permissions-signin-device")
	started, err := url.Parse(p.attribute("#app", "href"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.phone.Act(w.t.Context(), "approve", started.Query().Get("autostarttoken"), "", maja); err != nil {
		w.t.Fatal(err)
	}
	p.in("LIST")
	p.judge("permissions-identified")
	if text := p.text("main"); !strings.Contains(text, "Withdraw") || !strings.Contains(text, "Get a copy") || !strings.Contains(text, "You signed in with BankID") {
		w.t.Errorf("who has signed in sees %q", text)
	}
	p.click("header button") // sign out
	p.in("SIGNED_OUT")
}

// givesAgain gives the permission again that was withdrawn, on the connect page.
func (w *world) givesAgain(p page) {
	w.t.Helper()
	p.click("form[action^='/permissions/renew'] button")
	p.in("OPEN")
	p.click("main button")
	p.in("REVIEW")
	p.judge("permissions-renew-sv")
	// The number was erased with the permission; nobody else gives it again.
	p.fill("#pn", bertil)
	p.click("button[value=other]")
	p.in("REVIEW")
	if text := p.text("main"); !strings.Contains(text, "Någon annan har gett godkännandet") {
		w.t.Errorf("with the number of somebody else: %q", text)
	}
	p.judge("permissions-renew-other-sv")
	p.fill("#pn", maja)
	p.click("button[value=other]")
	p.in("QR")
	w.scans(p, "approve", maja)
	p.in("DONE")
	p.click("main a.btn-main")
	p.in("LIST")
	if text := p.text("main"); !strings.Contains(text, "Ta tillbaka") || strings.Contains(text, "Godkänn igen") {
		w.t.Errorf("after it was given again: %q", text)
	}
}

// checkArchive fetches the archive and reads it: every file, and the audit log with its key.
func (w *world) checkArchive(p page) {
	w.t.Helper()
	var text string
	p.do(map[string]any{"do": "fetch", "page": p.name, "url": w.client.Base + "/permissions/archive"}, &text)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		w.t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		w.t.Fatalf("%v: %.100q", err, raw)
	}
	files := map[string][]byte{}
	var kinds []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			w.t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			w.t.Fatal(err)
		}
		kinds = append(kinds, f.Name)
	}
	if !slices.ContainsFunc(kinds, func(n string) bool { return strings.HasPrefix(n, "csv/") }) || !bytes.Contains(files["json/consents-1.json"], []byte(`"AUTHORIZED"`)) ||
		!bytes.Contains(files["README.txt"], []byte("Allt vi har sparat om dig")) {
		w.t.Errorf("the archive has %q", kinds)
	}
	block, _ := pem.Decode(files["audit/public-key.pem"])
	if block == nil {
		w.t.Fatal("there is no key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	public, _ := key.(ed25519.PublicKey)
	if _, err := chain.Verify(bytes.NewReader(files["audit/audit.jsonl"]), chain.Options{Public: public}); err != nil {
		w.t.Errorf("the audit log: %v", err)
	}
}
