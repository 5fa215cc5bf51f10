package browser

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/store"
)

const (
	maja = "198412099296" // one of Skatteverket's test numbers

	// The banks of the sandbox: at the first one the signer is named, at the second it is not.
	namedBank = "se-demo-redirect"
	codeBank  = "se-demo-oauth"

	pollEvery = 100 * time.Millisecond
	patience  = time.Minute
)

// world is a running server with its sandbox, and a shop to which persons go back.
type world struct {
	*devserver.Environment
	t         *testing.T
	client    *apiclient.Client
	phone     *apiclient.Phone
	token     string // of the person's session
	shop      string // URL
	host      string // URL of a page that embeds ours; may be empty
	elsewhere string // host of a site that is nobody's
}

// newWorld starts a server, whose configuration a test may change.
func newWorld(t *testing.T, change ...func(*devserver.Config)) *world {
	t.Helper()
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if to := r.URL.Query().Get("to"); r.URL.Path == "/start" { // what a client does on the page where the person begins
			_, _ = io.WriteString(rw, `<!doctype html><title>Shop</title><a href="`+to+`">link</a><form method="post" action="`+to+`"><button name="begun" value="yes">To the bank</button></form>`)
			return
		}
		_, _ = io.WriteString(rw, "<!doctype html><title>Shop</title><h1>Back at the shop</h1>")
	}))
	t.Cleanup(shop.Close)
	config := devserver.Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&config)
	}
	l, err := devserver.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	site := strings.Replace(shop.URL, "127.0.0.1", "localhost", 1) // another site than ours: its forms bring no cookie
	w := &world{Environment: l, t: t, shop: site, phone: apiclient.NewPhone(l.Sandbox.URL(), l.Sandbox.CAPEM()),
		client: &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: http.DefaultClient}}
	user, err := w.client.CreateUser(t.Context(), "person")
	if err != nil {
		t.Fatal(err)
	}
	if w.token, err = w.client.CreateSession(t.Context(), user.ID); err != nil {
		t.Fatal(err)
	}
	clients, err := l.Server.Store().Clients(t.Context())
	if err != nil || len(clients) != 1 {
		t.Fatalf("%d clients, %v", len(clients), err)
	}
	if err := l.Server.Store().Write(t.Context(), func(tx store.Tx) error {
		return tx.AddReturnURL(t.Context(), clients[0].ID, w.returnURL(), time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) returnURL() string { return w.shop + "/back?cart=7" }

// consent creates a consent and returns its id and the address that the person opens.
func (w *world) consent(company string) (id, address string) {
	w.t.Helper()
	id, err := w.client.CreateConsent(w.t.Context(), w.token, apiclient.ConsentRequest{Company: company, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		PersonalNumber: maja, IPAddress: "192.0.2.1", ReturnURL: w.returnURL()})
	if err != nil {
		w.t.Fatal(err)
	}
	s := w.await(id, "AWAITING_AUTHORIZATION")
	if s.AuthInstructions == nil || !strings.HasPrefix(s.AuthInstructions.RedirectURL, w.client.Base+"/go/") {
		w.t.Fatalf("the person is shown %+v", s.AuthInstructions)
	}
	return id, s.AuthInstructions.RedirectURL
}

// await polls a consent until it has a status.
func (w *world) await(id, status string) apiclient.ConsentStatus {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	s, err := w.client.AwaitConsent(ctx, clock.System(), w.token, id, pollEvery, func(s apiclient.ConsentStatus) bool {
		return s.Status == status || s.Status == "FAILED"
	})
	if err != nil || s.Status != status {
		w.t.Fatalf("the consent is %s %+v, %v instead of %s", s.Status, s.Error, err, status)
	}
	return s
}

// begin opens the link as the person who has begun: the page asks, because anybody could
// sign at this bank.
func (w *world) begin(p page, address string) {
	w.t.Helper()
	p.open(address)
	p.waitFor("main[data-view=ASKS]")
	p.click("button[value=yes]")
}

// logIn logs the person in on the bank's page, by the BankID app, up to the question of the
// bank.
func (w *world) logIn(p page) {
	w.t.Helper()
	p.waitFor("button[value=start]")
	p.fill("#number", maja)
	p.click("button[value=start]")
	started, err := url.Parse(p.attribute("#autostart", "href"))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.phone.Act(w.t.Context(), "approve", started.Query().Get("autostarttoken"), "", maja); err != nil {
		w.t.Fatal(err)
	}
	p.waitFor("button[value=approve]")
}

// backAtShop waits until the browser is at the shop, and returns what the address says.
func (w *world) backAtShop(p page) url.Values {
	w.t.Helper()
	p.waitURL(w.shop + "/back")
	u, err := url.Parse(p.url())
	if err != nil {
		w.t.Fatal(err)
	}
	if u.Query().Get("cart") != "7" {
		w.t.Errorf("back at %s", u)
	}
	return u.Query()
}

// clean checks that no page broke its policy, and that browsers asked no other host.
func (w *world) clean(d *driver) {
	w.t.Helper()
	var violations, hosts []string
	d.do(map[string]any{"do": "violations"}, &violations)
	d.do(map[string]any{"do": "hosts"}, &hosts)
	if len(violations) > 0 {
		w.t.Errorf("the Content-Security-Policy was broken: %q", violations)
	}
	for _, h := range hosts {
		if h != hostOf(w.client.Base) && h != hostOf(w.Sandbox.URL()) && h != hostOf(w.shop) && h != hostOf(w.host) && h != w.elsewhere {
			w.t.Errorf("a browser asked %s", h)
		}
	}
}

func hostOf(address string) string {
	_, host, _ := strings.Cut(address, "://")
	return host
}

// TestRedirect walks the ways to a bank's page and back. The tests share a server; each has
// browsers of its own.
func TestRedirect(t *testing.T) {
	d, w := newDriver(t), newWorld(t)
	for name, walk := range map[string]func(*testing.T, *driver, *world){
		"ReturnsToTheClient":        returnsToTheClient,
		"RefusalReturnsToTheClient": refusalReturnsToTheClient,
		"NobodyComesBack":           nobodyComesBack,
		"ReturnsInAnotherBrowser":   returnsInAnotherBrowser,
		"AsksASecondBrowser":        asksASecondBrowser,
		"LinkOfSomebodyElse":        linkOfSomebodyElse,
		"BeginsAtTheClient":         beginsAtTheClient,
		"ReadsTheDocumentation":     readsTheDocumentation,
	} {
		t.Run(name, func(t *testing.T) {
			own := *d
			own.t, own.prefix = t, name
			world := *w
			world.t = t
			walk(t, &own, &world)
			world.clean(&own)
			w.elsewhere = world.elsewhere // the hosts are those of all browsers, also of the next walks
		})
	}
}

func returnsToTheClient(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.consent(codeBank)
	w.begin(p, address)
	w.logIn(p)
	p.click("button[value=approve]")
	if q := w.backAtShop(p); q.Get("consentId") != id || q.Get("status") != "AUTHORIZED" || q.Has("error") {
		t.Errorf("back with %v", q)
	}
	w.await(id, "AUTHORIZED")
	// The back button, a reload and the link again show the outcome.
	p.back()
	p.open(address)
	w.backAtShop(p)
	p.reload()
	w.await(id, "AUTHORIZED")
}

func refusalReturnsToTheClient(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.consent(codeBank)
	w.begin(p, address)
	w.logIn(p)
	p.click("button[value=refuse]")
	if q := w.backAtShop(p); q.Get("consentId") != id || q.Get("status") != "FAILED" || q.Get("error") != "AUTHENTICATION_CANCELLED" {
		t.Errorf("back with %v", q)
	}
}

// The person closes the page of the bank. What was signed is found by asking the bank.
func nobodyComesBack(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.consent(namedBank)
	p.open(address)
	p.block("/callback/")
	w.logIn(p)
	p.click("button[value=approve]")
	w.await(id, "AUTHORIZED")
}

// The bank's app comes home to another browser: the person types a code in the first one.
func returnsInAnotherBrowser(t *testing.T, d *driver, w *world) {
	first, second := d.page("first"), d.page("second")
	id, address := w.consent(codeBank)
	w.begin(first, address)
	first.waitFor("button[value=start]")
	second.open(first.url()) // the page of the bank
	w.logIn(second)
	second.click("button[value=approve]")
	code := second.text("#code")
	second.judge("go-shows-code")
	second.reload()
	if again := second.text("#code"); again != code {
		t.Errorf("the code is %q, then %q", code, again)
	}
	first.open(address)
	first.fill("#code", "WRONG2")
	first.click("button")
	first.waitFor("main[data-view=ENTERS_CODE]")
	first.judge("go-enters-code")
	first.fill("#code", strings.ToLower(code[:3]+" "+code[3:]))
	first.click("button")
	if q := w.backAtShop(first); q.Get("status") != "AUTHORIZED" {
		t.Errorf("back with %v", q)
	}
	w.await(id, "AUTHORIZED")
	second.open(address)
	w.backAtShop(second)
}

// Somebody else opens the link that was opened before: the person is asked first.
func asksASecondBrowser(t *testing.T, d *driver, w *world) {
	first, second := d.page("first"), d.page("second")
	id, address := w.consent(codeBank)
	w.begin(first, address)
	first.waitFor("button[value=start]")
	second.open(address)
	second.waitFor("main[data-view=ASKS]")
	second.judge("go-asks")
	second.click("button[value=yes]")
	w.logIn(second)
	second.click("button[value=approve]")
	w.backAtShop(second)
	w.await(id, "AUTHORIZED")
}

// Somebody was sent a link that nobody has opened: a no ends it, and the person who began
// learns that.
func linkOfSomebodyElse(t *testing.T, d *driver, w *world) {
	victim, starter := d.page("victim"), d.page("starter")
	id, address := w.consent(codeBank)
	victim.open(address)
	victim.waitFor("main[data-view=ASKS]")
	victim.reload()
	victim.waitFor("main[data-view=ASKS]")
	victim.click("button[value=no]")
	victim.waitFor("main[data-view=STOPPED]")
	starter.open(address)
	starter.waitFor("main[data-view=ELSEWHERE]")
	if s, err := w.client.PollConsent(t.Context(), w.token, id); err != nil || s.Status != "FAILED" || s.Error == nil || s.Error.Code != "AUTHENTICATION_CANCELLED" {
		t.Errorf("the consent is %+v, %v", s, err)
	}
}

// The page of the client sends the person by a form: nobody is asked. A link there is a link
// as any other, and so is the form of another site.
func beginsAtTheClient(t *testing.T, d *driver, w *world) {
	p := d.page("mine")
	id, address := w.consent(codeBank)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(rw, `<!doctype html><title>Elsewhere</title><form method="post" action="`+address+`"><button name="begun" value="yes">Win</button></form>`)
	}))
	defer elsewhere.Close()
	w.elsewhere = hostOf(elsewhere.URL)
	other := d.page("other")
	other.open(elsewhere.URL)
	other.click("button")
	other.waitFor("main[data-view=ASKS]")
	start := w.shop + "/start?to=" + url.QueryEscape(address)
	p.open(start)
	p.click("a")
	p.waitFor("main[data-view=ASKS]")
	for range 5 { // a form brings no cookie: after four browsers the fifth press goes on by that of the fourth
		p.open(start)
		p.click("button")
		p.waitFor("button[value=start]")
	}
	w.logIn(p)
	p.click("button[value=approve]")
	if q := w.backAtShop(p); q.Get("consentId") != id || q.Get("status") != "AUTHORIZED" {
		t.Errorf("back with %v", q)
	}
}
