package browser

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/test/qrscan"
)

const (
	demoBank = "se-demo-psd2"    // BankID, decoupled
	demoLogs = "se-demo"         // logins by dialogue
	listBank = "se-demo-prestep" // lists the accounts after a login
)

// screenshot takes a picture of an element, or of the page.
func (p page) screenshot(what string) []byte {
	p.t.Helper()
	var text string
	p.do(map[string]any{"do": "screenshot", "page": p.name, "what": what}, &text)
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

func (p page) offline(off bool) {
	p.t.Helper()
	p.do(map[string]any{"do": "offline", "page": p.name, "off": off}, nil)
}

// tab opens an address in another tab of the browser.
func (p page) tab(name, url string) page {
	p.t.Helper()
	other := page{p.driver, p.prefix + "/" + name}
	p.do(map[string]any{"do": "tab", "page": p.name, "other": other.name, "url": url}, nil)
	return other
}

// link makes a link for a new person.
func (w *world) link(body map[string]any) (id, address string) {
	w.t.Helper()
	user, err := w.client.CreateUser(w.t.Context(), "person-"+w.t.Name()+time.Now().String())
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range map[string]any{"userUuid": user.ID, "purpose": "show all your accounts in one place", "returnUrl": w.returnURL(), "language": "en"} {
		if _, given := body[name]; !given {
			body[name] = value
		}
	}
	var made struct{ ConnectLinkID, URL string }
	w.call(http.MethodPost, "/connect-links", body, &made)
	return made.ConnectLinkID, made.URL
}

// call calls the API with the key of the client.
func (w *world) call(method, path string, body, answer any) {
	w.t.Helper()
	text, err := w.client.Send(w.t.Context(), method, "", path, body)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// stands returns how a link stands.
func (w *world) stands(id string) (s struct {
	Status string
	Flow   struct{ State, Company, ConsentID, CollectionID, Error string }
}) {
	w.t.Helper()
	w.call(http.MethodGet, "/connect-links/"+id, nil, &s)
	return s
}

// in waits until the page shows a state.
func (p page) in(state string) {
	p.t.Helper()
	p.do(map[string]any{"do": "in", "page": p.name, "state": state}, nil)
}

// starts opens a link and presses go on.
func (p page) starts(address string) {
	p.t.Helper()
	p.open(address)
	p.in("OPEN")
	p.click("main button")
}

// scan returns the text of the code on the page, read from its picture.
func (p page) scan() string {
	p.t.Helper()
	return qrscan.Decode(p.t, base64.StdEncoding.EncodeToString(p.screenshot(".qr-code")))
}

// approves lets the phone approve, or do another action, with the code on the page. A code
// that has just changed is read again.
func (w *world) scans(p page, action, number string) {
	w.t.Helper()
	for tries := 0; ; tries++ {
		err := w.phone.Act(w.t.Context(), action, "", p.scan(), number)
		if err == nil {
			return
		}
		if tries == 5 {
			w.t.Fatal(err)
		}
	}
}

// TestConnect walks the connect page. The tests share a server; each has browsers of its own.
func TestConnect(t *testing.T) {
	d, w := newDriver(t), newWorld(t)
	w.host = w.embedder()
	signs := w.waitsForItsOrder(d)
	walks := map[string]func(*testing.T, *driver, *world){
		"ScansTheCode":            scansTheCode,
		"SignsOnThisDevice":       signsOnThisDevice,
		"GoesToThePageOfTheBank":  goesToThePageOfTheBank,
		"ChoosesAccounts":         choosesAccounts,
		"ReturnsInAnotherBrowser": connectReturnsElsewhere,
		"AnswersQuestions":        answersQuestions,
		"CancelsAtTheBank":        cancelsAtTheBank,
		"GoesOnAfterEverything":   goesOnAfterEverything,
		"LinksWorkOnce":           linksWorkOnce,
		"SaysWhatFailed":          saysWhatFailed,
		"SaysWhoIsDown":           saysWhoIsDown,
		"CancelsInTheApp":         cancelsInTheApp,
		"IsFramed":                isFramed,
		"ChangesTheWay":           changesTheWay,
		"BeginsAnew":              beginsAnewAfterTimeRanOut,
		"ActsElsewhere":           actsElsewhere,
		"ScansAPicture":           scansAPicture,
		"NeedsNoMouse":            needsNoMouse,
		"NeedsNoScript":           needsNoScript,
		"WeighsLittle":            weighsLittle,
		"ShopShowsData":           shopShowsData,
	}
	for name, walk := range walks {
		signs(false)
		t.Run(name, func(t *testing.T) {
			own := *d
			own.t, own.prefix = t, name
			world := *w
			world.t = t
			walk(t, &own, &world)
			world.clean(&own)
			w.host, w.elsewhere = world.host, world.elsewhere // the hosts are those of all browsers, also of the next walks
		})
	}
	signs(true)
}

// From the list to data: the code on the page is scanned, and the data is there.
func scansTheCode(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{})
	p.starts(address)
	p.in("START")
	p.judgeAll("connect-start")
	p.fill("#q", "demo bank (psd2)")
	if got := p.text("#found"); got != "1 match" {
		t.Errorf("the list says %q", got)
	}
	p.fill("#q", "demo bank")
	p.judge("connect-start-search")
	p.click("li[data-id=" + demoBank + "] a")
	p.in("REVIEW")
	p.judgeAll("connect-review")
	p.click("button[value=other]")
	p.in("QR")
	w.scans(p, "approve", maja)
	p.in("DONE")
	p.judgeAll("connect-done")
	if got := p.text(".got"); !strings.Contains(got, "account") {
		t.Errorf("it says that %q was read", got)
	}
	s := w.stands(id)
	if s.Status != "USED" || s.Flow.State != "DONE" || s.Flow.Company != demoBank || s.Flow.CollectionID == "" {
		t.Errorf("%+v", s)
	}
	p.click("main a.btn-main")
	if q := w.backAtShop(p); q.Get("connectLinkId") != id || q.Get("state") != "DONE" {
		t.Errorf("back with %v", q)
	}
	if s = w.stands(id); s.Flow.State != "ENDED" {
		t.Errorf("%+v", s)
	}
}

// The link that opens the app has the token of the order.
func signsOnThisDevice(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{"companies": []string{demoBank}})
	p.starts(address)
	p.in("REVIEW")
	p.click("button[value=this]")
	p.in("APP")
	p.judgeAll("connect-app")
	started, err := url.Parse(p.attribute("#app", "href"))
	if err != nil || !strings.HasPrefix(started.String(), "bankid:///?autostarttoken=") {
		t.Fatalf("%s, %v", started, err)
	}
	if err := w.phone.Act(t.Context(), "approve", started.Query().Get("autostarttoken"), "", maja); err != nil {
		t.Fatal(err)
	}
	p.in("DONE")
	if s := w.stands(id); s.Flow.State != "DONE" {
		t.Errorf("%+v", s)
	}
}

// The person signs on the page of the bank, and comes back to the page.
func goesToThePageOfTheBank(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{"companies": []string{namedBank}, "collect": false, "person": map[string]any{"personalNumber": maja}})
	p.starts(address)
	p.in("REVIEW")
	p.click("button[value=page]")
	p.in("BANK")
	p.judgeAll("connect-bank")
	p.click("#go")
	w.logIn(p)
	p.click("button[value=approve]")
	p.in("DONE")
	if at := p.url(); strings.Contains(at, "?") {
		t.Errorf("the person is at %s", at)
	}
	s := w.stands(id)
	if s.Flow.State != "DONE" || s.Flow.CollectionID != "" {
		t.Errorf("%+v", s)
	}
}

// The person logs in at the bank, chooses accounts here, and signs for those. Nothing chosen
// is said; a reload and another tab go on with the choice; the slower of two is refused.
func choosesAccounts(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{"companies": []string{listBank}, "person": person(maja)})
	p.starts(address)
	p.in("REVIEW")
	p.click("button[value=page]")
	p.in("BANK")
	p.click("#go")
	w.logIn(p)
	p.click("button[value=approve]")
	p.in("ACCOUNTS")
	p.judgeAll("connect-accounts")
	p.stops()
	p.click("main button")
	p.waitFor("[role=alert]")
	p.judge("connect-accounts-none")
	p.reload()
	p.in("ACCOUNTS")
	second := p.tab("second", p.url())
	second.in("ACCOUNTS")
	p.click("#all label")
	if got := p.text("main button"); !strings.HasPrefix(got, "Share ") || !strings.HasSuffix(got, " accounts") {
		t.Errorf("the button says %q", got)
	}
	p.click("#all label")
	p.click("#account-1")
	if got := p.text("main button"); got != "Share 1 account" {
		t.Errorf("the button says %q", got)
	}
	p.judge("connect-accounts-one")
	p.click("main button")
	p.in("BANK")
	second.in("BANK")
	p.click("#go")
	w.logIn(p)
	p.click("button[value=approve]")
	p.in("DONE")
	if got := p.text(".got"); !strings.Contains(got, "1 account") {
		t.Errorf("it says that %q was read", got)
	}
	if s := w.stands(id); s.Flow.State != "DONE" || s.Flow.ConsentID == "" {
		t.Errorf("%+v", s)
	}
}

// The bank sends the person back to another browser: the code that it shows is typed where the
// person began.
func connectReturnsElsewhere(t *testing.T, d *driver, w *world) {
	first, second := d.page("first"), d.page("second")
	id, address := w.link(map[string]any{"companies": []string{codeBank}, "person": map[string]any{"personalNumber": maja}})
	first.starts(address)
	first.click("button[value=page]")
	first.in("BANK")
	at := first.url()
	first.click("#go")
	// The bank does not name the signer; nobody asks who has begun in this browser.
	first.waitFor("button[value=start]")
	second.open(first.url()) // the page of the bank
	w.logIn(second)
	second.click("button[value=approve]")
	code := second.text("#code")
	first.open(at)
	first.in("ELSEWHERE")
	first.judgeAll("connect-elsewhere")
	first.click("#go")
	first.fill("#code", code)
	first.click("form button")
	first.in("DONE")
	if s := w.stands(id); s.Flow.State != "DONE" {
		t.Errorf("%+v", s)
	}
}

// logs begins a login of a person of the sandbox at the demo institution.
func (w *world) logs(p page, number string) (id string) {
	w.t.Helper()
	id, address := w.link(map[string]any{"companies": []string{demoLogs}, "person": map[string]any{"personalNumber": number}})
	p.starts(address)
	p.in("REVIEW")
	p.click("button[value=other]")
	return id
}

// Each kind of question is asked and answered; a wrong answer can be given again.
func answersQuestions(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	w.logs(p, "200004010000")
	p.in("ASK_CODE")
	p.judgeAll("connect-code")
	p.fill("#code", "000000")
	p.click("main form button")
	p.waitFor("#code-error")
	p.judge("connect-code-wrong")
	p.fill("#code", "123 456")
	p.click("main form button")
	p.in("DONE")

	w.logs(p, "200004010000")
	p.in("ASK_CODE")
	p.click("main details summary")
	p.click("button[value=RESEND]")
	p.fill("#code", "234561") // the code before is not valid any more
	p.click("main form button")
	p.in("DONE")

	w.logs(p, "200004030000")
	p.in("ASK_CHOICE")
	p.judgeAll("connect-choice")
	p.click("input[value=SMS]")
	p.click("main form button")
	p.in("ASK_CODE")
	p.fill("#code", "123456")
	p.click("main form button")
	p.in("DONE")

	w.logs(p, "199007011000")
	p.in("ASK_CONTACT")
	p.judgeAll("connect-contact")
	p.fill("#input-email", "anna@example.com")
	p.fill("#input-mobile_phone_number", "0701740605")
	p.click("main form button")
	p.in("DONE")
	p.judge("connect-done-empty")

	w.logs(p, "200004070000")
	p.in("ASK_INPUT")
	p.fill("#input-email", "anna@example.com")
	p.click("main form button")
	p.in("DONE")
}

// Cancel ends the order: the phone cannot sign it any more, and the consent is revoked.
func cancelsAtTheBank(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{"companies": []string{demoBank}})
	p.starts(address)
	p.click("button[value=other]")
	p.in("QR")
	p.judgeAll("connect-qr")
	p.click("button[value=cancel]")
	p.in("CANCELLED")
	p.judgeAll("connect-cancelled")
	if s := w.stands(id); s.Flow.State != "CANCELLED" {
		t.Errorf("%+v", s)
	}
	p.reload()
	p.in("CANCELLED")
	p.click("button[value=again]")
	p.in("REVIEW")
}

// Reload, back, a second tab and a lost network go on in the same flow.
func goesOnAfterEverything(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.link(map[string]any{})
	p.starts(address)
	p.in("START")
	at := p.url()
	p.click("li[data-id=" + demoBank + "] a")
	p.in("REVIEW")
	p.click("button[value=other]")
	p.in("QR")
	p.reload()
	p.in("QR")
	p.back()
	p.in("RUNNING")
	p.judgeAll("connect-running")
	p.click("main a.btn-main")
	p.in("QR")
	other := p.tab("other", at)
	other.in("QR")
	again := p.tab("again", address) // the link, once more in this browser
	again.in("QR")
	p.offline(true)
	p.waitFor("#net:not([hidden])")
	p.waitFor("svg.qr-code[data-stale]")
	p.judge("connect-offline")
	p.offline(false)
	p.waitFor("svg.qr-code:not([data-stale])")
	w.scans(other, "approve", "198611239883")
	p.in("DONE")
	other.in("DONE")
	if s := w.stands(id); s.Flow.State != "DONE" {
		t.Errorf("%+v", s)
	}
	other.click("main a.btn-main")
	p.in("ENDED")
	if got := p.text("main h1"); got != "Done in another window. You can close this one." {
		t.Errorf("the other tab says %q", got)
	}
	p.judgeAll("connect-ended-elsewhere")
}

// A link works once, in one browser; a look at it does not use it up.
func linksWorkOnce(t *testing.T, d *driver, w *world) {
	id, address := w.link(map[string]any{})
	for range 2 {
		answer, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	if s := w.stands(id); s.Status != "OPEN" {
		t.Fatalf("a scanner has used it up: %+v", s)
	}
	mine, other := d.page("mine"), d.page("other")
	mine.starts(address)
	mine.in("START")
	other.open(address)
	other.in("LINK_USED")
	other.judge("connect-link-used")
	other.open(mine.url())
	other.in("LINK_BROWSER")
	other.open(w.client.Base + "/c/open/" + strings.Repeat("A", 43))
	other.in("LINK_UNKNOWN")
}

// Every way in which a login fails is told, with what to do next.
func saysWhatFailed(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	for number, want := range map[string]string{"200003010000": "The details did not match", "200003060000": "Demo has questions for you first",
		"200003100000": "Demo is not working right now"} {
		w.logs(p, number)
		p.in("FAILED")
		if got := p.text("main h1"); got != want {
			t.Errorf("%s: %q", number, got)
		}
		p.waitFor("button[value=again]")
	}
	p.judgeAll("connect-failed")
}

// The person says no in the app.
func cancelsInTheApp(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	_, address := w.link(map[string]any{"companies": []string{demoBank}})
	p.starts(address)
	p.click("button[value=other]")
	p.in("QR")
	w.scans(p, "cancel", maja)
	p.in("CANCELLED")
}
