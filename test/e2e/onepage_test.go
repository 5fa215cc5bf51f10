package e2e

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/sandbox/enablebanking"
	"samla/internal/sandbox/nordea"
	"samla/internal/visitor"
	"samla/test/harness"
)

// pageFamily is a bank that signs on a page, of each family, and how its side is seen. Its
// methods look at the newest consent: one test at a time uses the bank.
type pageFamily struct {
	company, number string
	exchanges       func(*env) int // codes that were exchanged
	// given reports whether the person has given something that nobody has ended there.
	given func(*testing.T, *env) bool
	namer bool // the bank makes sure who signs, and can be asked
}

var pageFamilies = []pageFamily{
	{"se-demo-redirect", maja, func(w *env) int { return w.calls("se-demo-redirect")["token authorization_code"] }, givenByConsent("se-demo-redirect"), true},
	{"se-demo-oauth", sten, func(w *env) int { return w.calls("se-demo-oauth")["token authorization_code"] }, givenByConsent("se-demo-oauth"), false},
	{nordeaOnPage, ester, func(w *env) int {
		n := 0
		for _, g := range w.Sandbox.NordeaBank(nordeaBank).Grants() {
			if g.Exchanged {
				n++
			}
		}
		return n
	}, func(_ *testing.T, w *env) bool { // a code that nobody exchanges ends by itself
		return slices.ContainsFunc(w.Sandbox.NordeaBank(nordeaBank).Grants(), func(g nordea.GrantInfo) bool { return g.Exchanged && !g.Revoked })
	}, false},
	{"se-demo-obie", alva, func(w *env) int { return w.Sandbox.OBIEBank("se-demo-obie").Calls().Count("token authorization_code") }, func(_ *testing.T, w *env) bool {
		c := newestConsent(w.Sandbox.OBIEBank("se-demo-obie"))
		return !c.SCA.IsZero() && !c.Deleted
	}, false},
	{gatewayBank, elsa, func(w *env) int { return w.Sandbox.Gateway().Stats().Calls["authorize-session"] }, func(_ *testing.T, w *env) bool {
		all := w.Sandbox.Gateway().Stats().Sessions
		return len(all) > 0 && all[len(all)-1].Status == enablebanking.Authorized
	}, false},
}

// givenByConsent looks at the newest consent of a bank with Berlin Group's wire.
func givenByConsent(company string) func(*testing.T, *env) bool {
	return func(t *testing.T, w *env) bool {
		t.Helper()
		var all struct{ Consents []bankConsent }
		w.operator(t, "GET", "/sandbox/consents", 200, &all)
		given := false
		for _, c := range all.Consents {
			if c.Bank == company {
				given = c.Status == "valid" || c.Status == "partiallyAuthorised"
			}
		}
		return given
	}
}

// awaitPageOf polls a one-time collection until it shows a page, and returns its address.
func (c client) awaitPageOf(t *testing.T, id string) string {
	t.Helper()
	shown := c.awaitLogin(t, id)
	page := shown["REDIRECT_URL"]
	if len(shown) != 1 || !strings.HasPrefix(page, c.w.Server.URL()+"/go/") || len(stateOf(page)) != 43 {
		t.Fatalf("the person is shown %d things, without an address of ours", len(shown))
	}
	return page
}

// visit walks a page while the client polls the collection, and returns where the bank
// sends the browser.
func (p *person) visit(t *testing.T, collection string, b *visitor.Browser, page string, does visitor.Person) *url.URL {
	t.Helper()
	type end struct {
		back *url.URL
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		back, err := b.Visit(t.Context(), page, does)
		ended <- end{back, err}
	}()
	var got end
	p.w.await(t, "the end of the visit", func() bool {
		p.pollCollection(t, collection)
		select {
		case got = <-ended:
			return true
		default:
			return false
		}
	})
	if got.err != nil {
		t.Fatal(got.err)
	}
	p.w.secretsOfReturn(got.back)
	if !strings.HasPrefix(got.back.String(), p.w.Server.URL()+"/callback/") {
		t.Fatalf("the bank sends the browser to %s", got.back.Host)
	}
	return got.back
}

func (p *person) comeBack(t *testing.T, b *visitor.Browser, back *url.URL) {
	t.Helper()
	if _, err := b.Arrive(t.Context(), back); err != nil {
		t.Fatal(err)
	}
}

// A one-time collection at a bank that signs on its page, of each family: from the request
// to the products, and to the end of the access at the bank. A refusal, a person who never
// comes, and a client that cancels while the person is at the bank leave nothing there.
func TestOneTime_OnPages(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			t.Run("walked", func(t *testing.T) {
				for _, f := range pageFamilies {
					t.Run(f.company, func(t *testing.T) {
						t.Parallel()
						p := w.person(t, f.number)
						f.completes(t, p)
						f.refused(t, p)
						f.cancelled(t, p)
					})
				}
			})
			nobodyComes(t, w)
		})
	}
}

func (f pageFamily) completes(t *testing.T, p *person) {
	before := f.exchanges(p.w)
	id := p.startCollection(t, consentRequest{company: f.company}.body(p.personalNumber)).ID
	page := p.awaitPageOf(t, id)
	b := p.w.browser()
	back := p.visit(t, id, b, page, p.acts())
	if s := p.pollCollection(t, id); s.Status != "LOGIN" && !f.namer {
		t.Errorf("before the person is back the collection is %s", s.Status)
	}
	p.comeBack(t, b, back)
	seen := map[string]bool{}
	p.w.await(t, "the end of the collection", func() bool {
		s := p.pollCollection(t, id)
		if s.Status != "LOGIN" && s.ExtraInformation != nil {
			t.Errorf("%s with %d things to show", s.Status, len(s.ExtraInformation))
		}
		seen[s.Status] = true
		return s.PollingInterval == nil
	})
	p.awaitCollection(t, id, "COMPLETED")
	for status := range seen {
		if status != "LOGIN" && status != "COLLECTING" && status != "COMPLETED" {
			t.Errorf("the collection was %s", status)
		}
	}
	products := p.products(t, id)
	if len(products) == 0 {
		t.Error("no products")
	}
	rows := 0
	for _, a := range products {
		if a.Company != f.company || a.BookedBalance == nil && a.Type != mortgage {
			t.Errorf("a product %s of %s", a.Type, a.Company)
		}
		if a.Transactions != nil {
			rows += len(*a.Transactions)
		}
	}
	if rows == 0 {
		t.Error("no transactions")
	}
	p.w.await(t, "the end of the access at the bank", func() bool { return !f.given(t, p.w) })
	if n := f.exchanges(p.w) - before; n > 1 {
		t.Errorf("%d codes were exchanged", n)
	}
	inner := p.w.consentOf(t, id)
	p.Do(t, "GET", "/consents/"+inner+"/status", nil).WantProblem(t, fault.ConsentNotFound)
	p.Do(t, "POST", "/collections", storedConsent(f.company, inner, address)).WantProblem(t, fault.ConsentNotFound)
	if got := p.w.get(t, b, page); got.status >= 500 || got.location != "" && strings.HasPrefix(got.location, p.w.Sandbox.URL()) {
		t.Errorf("the link again: %d, to %s", got.status, got.location)
	}
}

func (f pageFamily) refused(t *testing.T, p *person) {
	before := f.exchanges(p.w)
	id := p.startCollection(t, consentRequest{company: f.company}.body(p.personalNumber)).ID
	b, refuses := p.w.browser(), p.acts()
	refuses.Refuse = true
	p.comeBack(t, b, p.visit(t, id, b, p.awaitPageOf(t, id), refuses))
	p.awaitCollection(t, id, "AUTHENTICATION_CANCELLED")
	f.nothingLeft(t, p, id, before)
}

// cancelled: the client cancels when the person has just approved, and is not back yet.
func (f pageFamily) cancelled(t *testing.T, p *person) {
	before := f.exchanges(p.w)
	id := p.startCollection(t, consentRequest{company: f.company}.body(p.personalNumber)).ID
	b := p.w.browser()
	page := p.awaitPageOf(t, id)
	if f.namer { // it may be asked before the cancellation; then nothing is read so soon
		reads := p.w.interceptor.stall("GET", "/"+f.company+"/v1/accounts")
		defer p.w.interceptor.end(reads)
	}
	back, err := b.Visit(t.Context(), page, p.acts())
	if err != nil {
		t.Fatal(err)
	}
	p.w.secretsOfReturn(back)
	p.Do(t, "POST", "/collections/"+id+"/cancel", nil).WantStatus(t, 200, nil)
	p.awaitCollection(t, id, "AUTHENTICATION_CANCELLED")
	p.comeBack(t, b, back)
	p.awaitCollection(t, id, "AUTHENTICATION_CANCELLED")
	f.nothingLeft(t, p, id, before)
}

// nothingLeft checks what is left of a collection without success.
func (f pageFamily) nothingLeft(t *testing.T, p *person, id string, before int) {
	t.Helper()
	if n := f.exchanges(p.w) - before; n != 0 {
		t.Errorf("%d codes were exchanged", n)
	}
	p.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
	p.w.await(t, "nothing to be given at the bank", func() bool { return !f.given(t, p.w) })
}

// nobodyComes: the client polls on, at all banks, and the persons never open the page.
func nobodyComes(t *testing.T, w *env) {
	type waiting struct {
		pageFamily
		*person
		id     string
		before int
		status string
	}
	var all []*waiting
	for _, f := range pageFamilies {
		p := w.person(t, f.number)
		one := &waiting{f, p, p.startCollection(t, consentRequest{company: f.company}.body(f.number)).ID, f.exchanges(w), ""}
		p.awaitPageOf(t, one.id)
		all = append(all, one)
	}
	began := w.clock.Now()
	w.await(t, "the end of all", func() bool {
		running := false
		for _, one := range all {
			if s := one.pollCollection(t, one.id); s.PollingInterval == nil {
				one.status = s.Status
			} else {
				running = true
			}
		}
		if running {
			w.clock.Jump(15 * time.Second)
		}
		return !running
	})
	for _, one := range all {
		if one.status != "AUTHENTICATION_TIMEOUT" {
			t.Errorf("%s: ended as %s", one.company, one.status)
		}
		one.nothingLeft(t, one.person, one.id, one.before)
	}
	if took := w.clock.Now().Sub(began); took > 20*time.Minute {
		t.Errorf("all have ended after %v", took)
	}
}
