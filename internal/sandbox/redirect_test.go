package sandbox_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox"
	"samla/internal/sandbox/persona"
	"samla/internal/visitor"
)

const (
	back = "https://client.example/back/1?one=2"
	nok  = "https://client.example/nok/1"
)

// impatient is a clock on which nobody waits: a timer moves the time.
type impatient struct{ *clock.Manual }

func (c impatient) NewTimer(d time.Duration) clock.Timer {
	t := c.Manual.NewTimer(d)
	c.Advance(d)
	return t
}

func (w *env) browser() *visitor.Browser {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.CA().Pool(), Time: w.clock.Now}}
	w.Cleanup(transport.CloseIdleConnections)
	return visitor.New(transport, impatient{w.clock}, w.URL())
}

// habit returns the number of the person who acts on their own in this way.
func habit(t testing.TB, shows string) visitor.Person {
	t.Helper()
	for _, h := range persona.Habits() {
		if h.Shows == shows {
			return visitor.Person{Number: h.Number}
		}
	}
	t.Fatalf("nobody %q", shows)
	return visitor.Person{}
}

// walk follows the bank's page and returns where the browser goes; "" if it stays.
func (w *env) walk(b *visitor.Browser, address string, p visitor.Person) *url.URL {
	w.Helper()
	to, err := b.Visit(w.Context(), address, p)
	if errors.Is(err, visitor.ErrStays) {
		return &url.URL{}
	}
	if err != nil {
		w.Fatal(err)
	}
	return to
}

// create creates a consent at a bank whose customers sign on its page.
func (p *tpp) create(body string, header ...string) response {
	p.Helper()
	return p.call("POST", "consents", body, append([]string{"TPP-Redirect-URI", back, "TPP-Nok-Redirect-URI", nok}, header...)...).want(201)
}

func (p *tpp) status(id string) string {
	p.Helper()
	return p.call("GET", "consents/"+id+"/status", "").want(200).text("consentStatus")
}

func withState(address, state string) string {
	if strings.Contains(address, "?") {
		return address + "&state=" + state
	}
	return address + "?state=" + state
}

func TestRedirect_Implicit(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect")
	created := p.create(allAccounts)
	id := created.text("consentId")
	link := created.text("_links", "scaRedirect", "href")
	if !strings.HasPrefix(link, w.URL()+"/se-demo-redirect/sca?") || created.header.Get("ASPSP-SCA-Approach") != "REDIRECT" ||
		created.at("_links", "startAuthorisation") != nil || created.at("_links", "confirmation") != nil || created.at("scaMethods") != nil {
		t.Fatalf("%s", created.body)
	}
	sca := created.text("_links", "scaStatus", "href")
	if got := p.call("GET", sca, "").want(200); got.text("scaStatus") != "received" || got.text("_links", "scaRedirect", "href") != link {
		t.Errorf("%s", got.body)
	}
	// The address of the person is that of the request, without state.
	to := w.walk(w.browser(), withState(link, "s1"), visitor.Person{Number: maja, Phone: visitor.Approve})
	if to.String() != back {
		t.Errorf("returned to %s", to)
	}
	if p.status(id) != "valid" || p.call("GET", sca, "").text("scaStatus") != "finalised" {
		t.Errorf("status %s", p.status(id))
	}
	if list := p.call("GET", "accounts", "", "Consent-ID", id).want(200).list("accounts"); len(list) != 2 {
		t.Errorf("%d accounts", len(list))
	}
	p.call("PUT", sca, `{"confirmationCode":"x"}`, "TPP-Redirect-URI", "").wantError(400, "PARAMETER_NOT_SUPPORTED")
	p.call("DELETE", "consents/"+id, "").want(204)
	if p.status(id) != "terminatedByTpp" {
		t.Error("not terminated")
	}
}

// What a bank answers to a bad request for a redirect.
func TestRedirect_NeedsItsAddresses(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect")
	for name, header := range map[string][]string{
		"none":           {},
		"only preferred": {"TPP-Redirect-Preferred", "true"},
		"relative":       {"TPP-Redirect-URI", "/back"},
		"fragment":       {"TPP-Redirect-URI", back + "#x"},
		"plain":          {"TPP-Redirect-URI", "http://client.example/"},
		"user":           {"TPP-Redirect-URI", "https://u@client.example/"},
		"bad nok":        {"TPP-Redirect-URI", back, "TPP-Nok-Redirect-URI", "nok"},
	} {
		if a := p.call("POST", "consents", allAccounts, header...); a.status != 400 || a.text("tppMessages", 0, "code") != "FORMAT_ERROR" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	p.call("POST", "consents", allAccounts, "TPP-Redirect-URI", back, "TPP-Redirect-Preferred", "false").wantError(400, "PARAMETER_NOT_SUPPORTED")
	p.call("POST", "consents", allAccounts, "TPP-Redirect-URI", "http://127.0.0.1:8080/callback").want(201)
	if n := w.Stats().ConsentsCreated; n != 1 {
		t.Errorf("%d consents", n)
	}
	explicit := w.tpp("se-demo-redirect-explicit")
	id := explicit.create(allAccounts).text("consentId")
	path := "consents/" + id + "/authorisations"
	explicit.call("POST", path, `{}`, "TPP-Redirect-URI", back+"3").wantError(400, "PARAMETER_NOT_CONSISTENT")
	explicit.call("POST", path, `{}`).want(201)
	late := explicit.call("POST", "consents", allAccounts).want(201).text("consentId")
	explicit.call("POST", "consents/"+late+"/authorisations", `{}`).wantError(400, "FORMAT_ERROR")
	explicit.call("POST", "consents/"+late+"/authorisations", `{}`, "TPP-Redirect-URI", back).want(201)
}

// The ends of a login on the page, per person: where the browser goes and what the consent is.
func TestRedirect_EndsByHabit(t *testing.T) {
	for _, c := range []struct{ person, to, status string }{
		{"approves in BankID and on the page", back, "valid"},
		{"cancels in BankID", nok, "rejected"},
		{"opens BankID and never signs", nok, "rejected"},
		{"never opens BankID", nok, "rejected"},
		{"has a blocked BankID", nok, "rejected"},
		{"approves in BankID and refuses on the page", nok, "rejected"},
		{"must first answer the bank's questions about its customers (KYC)", nok, "rejected"},
		{"meets a technical error of the bank", nok, "rejected"},
		{"approves on the page and closes the browser", "", "valid"},
		{"lets Maja Lindqvist sign", nok, "rejected"},
	} {
		t.Run(c.person, func(t *testing.T) {
			w := start(t, nil)
			p := w.tpp("se-demo-redirect")
			created := p.create(allAccounts)
			to := w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), habit(t, c.person))
			if to.String() != c.to {
				t.Errorf("the browser goes to %q", to)
			}
			if got := p.status(created.text("consentId")); got != c.status {
				t.Errorf("status %s", got)
			}
		})
	}
}

// Without TPP-Nok-Redirect-URI, and at a bank that ignores it, a refusal returns to the
// normal address.
func TestRedirect_RefusalReturnsToTheNormalAddress(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect")
	created := p.create(allAccounts, "TPP-Nok-Redirect-URI", "")
	if to := w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), habit(t, "cancels in BankID")); to.String() != back {
		t.Errorf("returned to %s", to)
	}
	explicit := w.tpp("se-demo-redirect-explicit")
	id := explicit.create(allAccounts).text("consentId")
	auth := explicit.call("POST", "consents/"+id+"/authorisations", `{}`).want(201)
	to := w.walk(w.browser(), withState(auth.text("_links", "scaRedirect", "href"), "s1"), habit(t, "cancels in BankID"))
	if to.String() != back+"&state=s1" {
		t.Errorf("returned to %s", to)
	}
	end := explicit.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	if end.text("scaStatus") != "failed" || end.at("_links", "scaRedirect") != nil || end.at("hintCode") != nil {
		t.Errorf("%s", end.body)
	}
}

func TestRedirect_ExplicitWithConfirmation(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect-explicit")
	created := p.create(allAccounts)
	id := created.text("consentId")
	if created.text("_links", "startAuthorisation", "href") == "" || created.at("_links", "scaRedirect") != nil || created.at("scaMethods") != nil {
		t.Fatalf("%s", created.body)
	}
	auth := p.call("POST", created.text("_links", "startAuthorisation", "href"), `{}`).want(201)
	sca, confirmation := auth.text("_links", "scaStatus", "href"), auth.text("_links", "confirmation", "href")
	if auth.text("scaStatus") != "received" || confirmation == "" || auth.header.Get("ASPSP-SCA-Approach") != "REDIRECT" || auth.at("challengeData") != nil {
		t.Fatalf("%s", auth.body)
	}
	p.call("POST", created.text("_links", "startAuthorisation", "href"), `{}`).wantError(409, "STATUS_INVALID")
	p.call("PUT", confirmation, `{"confirmationCode":"early"}`).wantError(409, "STATUS_INVALID")
	link := auth.text("_links", "scaRedirect", "href")

	// Without state the page fails, and nothing else happens.
	b := w.browser()
	if a, err := b.Get(t.Context(), link); err != nil || a.StatusCode != 400 {
		t.Fatalf("without state: %v %v", a, err)
	} else {
		_ = a.Body.Close()
	}
	to := w.walk(b, withState(link, "s%261"), visitor.Person{Number: maja, Phone: visitor.Approve})
	code := to.Query().Get("confirmationCode")
	if to.Query().Get("state") != "s&1" || code == "" || to.Query().Get("one") != "2" || to.Host != "client.example" {
		t.Fatalf("returned to %s", to)
	}
	if got := p.call("GET", sca, ""); got.text("scaStatus") != "unconfirmed" || p.status(id) != "received" {
		t.Errorf("%s, %s", got.body, p.status(id))
	}
	for _, body := range []string{``, `{}`, `{"confirmationCode":1}`, `{"authenticationMethodId":"x"}`} {
		p.call("PUT", confirmation, body).wantError(400, "FORMAT_ERROR")
	}
	done := p.call("PUT", confirmation, `{"confirmationCode":"`+code+`"}`).want(200)
	if done.text("scaStatus") != "finalised" || done.text("_links", "status", "href") == "" || p.status(id) != "valid" {
		t.Errorf("%s", done.body)
	}
	p.call("PUT", confirmation, `{"confirmationCode":"`+code+`"}`).wantError(409, "STATUS_INVALID")
	p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	if n := w.Bank("se-demo-redirect-explicit").Calls().Count("PUT consents/*/authorisations/*"); n != 7 {
		t.Errorf("%d confirmations are counted", n)
	}
}

func TestRedirect_WrongConfirmationEndsTheConsent(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect-explicit")
	begin := func() (id, confirmation string, to *url.URL) {
		id = p.create(allAccounts).text("consentId")
		auth := p.call("POST", "consents/"+id+"/authorisations", `{}`).want(201)
		return id, auth.text("_links", "confirmation", "href"),
			w.walk(w.browser(), withState(auth.text("_links", "scaRedirect", "href"), "s"), habit(t, "approves in BankID and on the page"))
	}
	id, confirmation, _ := begin()
	other, _, to := begin()
	// The code of another session is a wrong code.
	injected := `{"confirmationCode":"` + to.Query().Get("confirmationCode") + `"}`
	if got := p.call("PUT", confirmation, injected).want(200).text("scaStatus"); got != "failed" || p.status(id) != "rejected" {
		t.Errorf("%s, %s", got, p.status(id))
	}
	p.call("PUT", confirmation, injected).wantError(409, "STATUS_INVALID")
	w.clock.Advance(14 * time.Minute)
	if got := p.status(other); got != "received" {
		t.Errorf("waiting for the confirmation: %s", got)
	}
	w.clock.Advance(2 * time.Minute)
	if got := p.status(other); got != "rejected" {
		t.Errorf("without a confirmation: %s", got)
	}
	// The time for the confirmation begins with the approval.
	id = p.create(allAccounts).text("consentId")
	auth := p.call("POST", "consents/"+id+"/authorisations", `{}`).want(201)
	w.clock.Advance(14 * time.Minute)
	to = w.walk(w.browser(), withState(auth.text("_links", "scaRedirect", "href"), "s"), habit(t, "approves in BankID and on the page"))
	w.clock.Advance(14 * time.Minute)
	p.call("PUT", auth.text("_links", "confirmation", "href"), `{"confirmationCode":"`+to.Query().Get("confirmationCode")+`"}`).want(200)
	if p.status(id) != "valid" {
		t.Errorf("confirmed late: %s", p.status(id))
	}
}

// Every status of an authorisation can be read.
func TestRedirect_TellsEachStatus(t *testing.T) {
	for bank, want := range map[string][]string{
		"se-demo-redirect":          {"received", "psuIdentified", "psuAuthenticated", "started", "finalised"},
		"se-demo-redirect-explicit": {"received", "psuIdentified", "psuAuthenticated", "started", "unconfirmed", "finalised"},
	} {
		w := start(t, nil)
		p := w.tpp(bank)
		created := p.create(allAccounts)
		auth := created
		if created.at("_links", "scaRedirect") == nil {
			auth = p.call("POST", created.text("_links", "startAuthorisation", "href"), `{}`).want(201)
		}
		var seen []string
		look := func() {
			got := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200).text("scaStatus")
			if len(seen) == 0 || seen[len(seen)-1] != got {
				seen = append(seen, got)
			}
		}
		b := w.browser()
		b.Saw = func(*url.URL, int) { look(); look() }
		to := w.walk(b, withState(auth.text("_links", "scaRedirect", "href"), "s"), visitor.Person{Number: maja, Phone: visitor.Approve})
		look()
		if code := to.Query().Get("confirmationCode"); code != "" {
			p.call("PUT", auth.text("_links", "confirmation", "href"), `{"confirmationCode":"`+code+`"}`).want(200)
			look()
		}
		if !slices.Equal(seen, want) {
			t.Errorf("%s: %v", bank, seen)
		}
	}
}

// A person who never comes leaves a consent that ends.
func TestRedirect_EndsWithoutThePerson(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect")
	created := p.create(allAccounts)
	w.clock.Advance(15 * time.Minute)
	if got := p.status(created.text("consentId")); got != "rejected" {
		t.Errorf("status %s", got)
	}
	// Later the page returns at once.
	to := w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), visitor.Person{Number: maja, Phone: visitor.Approve})
	if to.String() != nok {
		t.Errorf("returned to %s", to)
	}
	// A consent that the TPP deletes while the person signs is not granted.
	created = p.create(allAccounts)
	b := w.browser()
	pages := 0
	b.Saw = func(u *url.URL, _ int) {
		if pages++; pages == 5 {
			p.call("DELETE", "consents/"+created.text("consentId"), "").want(204)
		}
	}
	if to := w.walk(b, created.text("_links", "scaRedirect", "href"), visitor.Person{Number: maja, Phone: visitor.Approve}); to.String() != nok {
		t.Errorf("returned to %s", to)
	}
	if got := p.status(created.text("consentId")); got != "terminatedByTpp" {
		t.Errorf("status %s", got)
	}
}

// The person chooses accounts if the consent leaves it to the bank, and PSU-ID says who.
func TestRedirect_LetsThePersonChoose(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-redirect")
	savings := p.known(maja, "Sparkonto")
	created := p.create(consentBody(`{"accounts":[],"balances":[]}`), "PSU-ID", maja)
	w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), visitor.Person{Phone: visitor.Approve, Chooses: []string{savings.ID}})
	list := p.call("GET", "accounts", "", "Consent-ID", created.text("consentId")).want(200)
	if len(list.list("accounts")) != 1 || list.text("accounts", 0, "iban") != savings.IBAN {
		t.Errorf("%s", list.body)
	}
	created = p.create(allAccounts, "PSU-ID", maja)
	if to := w.walk(w.browser(), created.text("_links", "scaRedirect", "href"), visitor.Person{Phone: visitor.Approve, SignsAs: ester}); to.String() != nok {
		t.Errorf("another person: %s", to)
	}
}

// known returns an account of a person at the bank.
func (p *tpp) known(person, name string) persona.Account {
	p.Helper()
	c, _ := persona.NewCustomers(p.behaviour.BankID).Person(person)
	for _, a := range c.Accounts {
		if a.Name == name {
			return a
		}
	}
	p.Fatalf("no account %q", name)
	return persona.Account{}
}

// A restart of the sandbox in the middle of a login keeps it.
func TestRestart_ContinuesALoginOnThePage(t *testing.T) {
	dir := t.TempDir()
	w := start(t, func(c *sandbox.Config) { c.Dir, c.Keys = dir, nil })
	p := w.tpp("se-demo-redirect-explicit")
	id := p.create(allAccounts).text("consentId")
	auth := p.call("POST", "consents/"+id+"/authorisations", `{}`).want(201)
	address := withState(auth.text("_links", "scaRedirect", "href"), "s")
	b := w.browser()
	ctx, cancel := context.WithCancel(t.Context())
	pages := 0
	b.Saw = func(*url.URL, int) {
		if pages++; pages == 4 {
			cancel() // the page shows the order; the phone signs it after the restart
		}
	}
	if _, err := b.Visit(ctx, address, visitor.Person{Number: maja}); err == nil {
		t.Fatal("not interrupted")
	}
	w, _ = w.reopen(dir, false)
	b.Saw = nil
	to := w.walk(b, address, visitor.Person{Phone: visitor.Approve})
	if to.Query().Get("confirmationCode") == "" || to.Query().Get("state") != "s" {
		t.Fatalf("returned to %s", to)
	}
	w, _ = w.reopen(dir, false)
	if again := w.walk(b, address, visitor.Person{}); again.String() != to.String() {
		t.Errorf("then %s", again)
	}
	// A kill after the bank's decision and before the page has stored it.
	w.stop()
	path := filepath.Join(dir, "se-demo-redirect-explicit-page.jsonl")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	undone := regexp.MustCompile(`"step":"ended".*?"returnTo":"[^"]*"`).ReplaceAll(lines, []byte(`"step":"choose","browser":"`+
		string(regexp.MustCompile(`"browser":"([^"]*)"`).FindSubmatch(lines)[1])+`","person":"`+maja+`"`))
	if bytes.Equal(undone, lines) {
		t.Fatalf("%s", lines)
	}
	if err := os.WriteFile(path, undone, 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ = w.reopen(dir, false)
	if again := w.walk(b, address, visitor.Person{}); again.String() != to.String() {
		t.Errorf("after the kill %s", again)
	}
	p = w.tpp("se-demo-redirect-explicit")
	p.call("PUT", auth.text("_links", "confirmation", "href"), `{"confirmationCode":"`+to.Query().Get("confirmationCode")+`"}`).want(200)
	if p.status(id) != "valid" {
		t.Errorf("status %s", p.status(id))
	}
}
