package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/visitor"
)

// gatewayBank is a bank behind the sandbox's gateway.
const gatewayBank = "se-eb-lansforsakringar"

// browser is a browser of a person that trusts the sandbox.
func (w *env) browser() *visitor.Browser {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(w.Sandbox.CAPEM())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, Time: w.clock.Now}}
	return visitor.New(transport, w.clock, w.Sandbox.URL())
}

// signOnPage walks the page of a bank, and comes back to this server. The server shows how
// it goes on, or has ended.
func (p *person) signOnPage(t *testing.T, b *visitor.Browser, page string, v visitor.Person) {
	t.Helper()
	back, err := b.Visit(t.Context(), page, v)
	if err != nil {
		t.Fatal(err)
	}
	p.w.Log.Secret("a code", back.Query().Get("code"))
	if !strings.HasPrefix(back.String(), p.Base+"/callback/eu-enable-banking?") {
		t.Fatalf("the bank sends the person to %s", back.Path)
	}
	for range 2 { // a reload changes nothing
		resp, err := b.Get(t.Context(), back.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusSeeOther {
			t.Errorf("the callback answers %d", resp.StatusCode)
		}
	}
}

// gatewayConsent runs the main flow at a bank behind the gateway: from the request for a
// consent to products, to a refresh without the person, and to the revocation.
func gatewayConsent(t *testing.T, w *env) {
	p := w.person(t, elsa)
	id := p.requestConsent(t, consentRequest{company: gatewayBank})
	p.signOnPage(t, w.browser(), p.awaitPage(t, id), visitor.Person{Number: elsa, Phone: visitor.Approve})
	if granted := p.awaitConsent(t, id, "AUTHORIZED"); granted.ExpiresAt.Sub(w.clock.Now()) < 170*24*time.Hour {
		t.Errorf("authorized as %+v", granted)
	}
	collection := p.collect(t, gatewayBank, id, address, "COMPLETED")
	products := p.products(t, collection)
	types := map[string]int{}
	for _, a := range products {
		types[a.Type]++
		if a.Company != gatewayBank || a.AccountHolderName != "Elsa Dahl" && a.Type != "MORTGAGE_LOAN" {
			t.Errorf("%s of %s, holder %q", a.Type, a.Company, a.AccountHolderName)
		}
	}
	if types["PSD2_CHECKING_ACCOUNT"] != 2 || types["PSD2_SAVINGS_ACCOUNT"] != 3 || types["PSD2_CREDIT_CARD"] != 1 {
		t.Errorf("products %v", types)
	}
	for _, a := range products {
		if a.Type == "PSD2_CHECKING_ACCOUNT" && a.Transactions != nil && len(*a.Transactions) > 50 {
			signs := map[string]int{}
			for _, row := range *a.Transactions {
				signs[row.Direction]++
			}
			if signs["DEBIT"] < 10 || signs["CREDIT"] < 5 {
				t.Errorf("directions %v", signs)
			}
		}
	}
	again := p.products(t, p.collect(t, gatewayBank, id, "", "COMPLETED"))
	if len(again) != len(products) || again[0].AccountID != products[0].AccountID {
		t.Errorf("%d products without the person, %d with", len(again), len(products))
	}
	p.Do(t, "DELETE", "/consents/"+id, nil).WantStatus(t, 200, nil)
	w.await(t, "the end of the session", func() bool {
		for _, s := range w.Sandbox.Gateway().Stats().Sessions {
			if s.Bank == "Länsförsäkringar" && s.Status == "CLOSED" {
				return true
			}
		}
		return false
	})
	p.Do(t, "POST", "/collections", storedConsent(gatewayBank, id, address)).WantProblem(t, fault.ConsentRevoked)
}

// gatewayRefused: the person refuses on the page.
func gatewayRefused(t *testing.T, w *env) {
	p := w.person(t, alva)
	id := p.requestConsent(t, consentRequest{company: gatewayBank})
	p.signOnPage(t, w.browser(), p.awaitPage(t, id), visitor.Person{Number: alva, Phone: visitor.Approve, Refuse: true})
	if s := p.awaitConsent(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_CANCELLED" {
		t.Errorf("failed as %+v", s.Error)
	}
}

// gatewayElsewhere: what comes back in a browser that nobody has led there gives no access.
func gatewayElsewhere(t *testing.T, w *env) {
	p := w.person(t, sam)
	last := w.clock.Now().UTC().AddDate(0, 0, 41).Format(time.DateOnly) // no other scenario's session ends then
	id := p.requestConsent(t, consentRequest{company: gatewayBank, scope: map[string]any{"validUntil": last}})
	status := func() string {
		t.Helper()
		for _, l := range w.Sandbox.Gateway().Stats().Sessions {
			if l.ValidUntil.UTC().Format(time.DateOnly) == last {
				return string(l.Status)
			}
		}
		t.Fatal("the gateway has no login of this scenario")
		return ""
	}
	first, other := w.browser(), w.browser()
	back, err := first.Visit(t.Context(), p.awaitPage(t, id), visitor.Person{Number: sam, Phone: visitor.Approve})
	if err != nil {
		t.Fatal(err)
	}
	w.Log.Secret("a code", back.Query().Get("code"))
	forged := *back
	query := forged.Query()
	state, end := query.Get("state"), "A"
	if strings.HasSuffix(state, end) {
		end = "E"
	}
	query.Set("state", state[:42]+end)
	forged.RawQuery = query.Encode()
	for name, address := range map[string]string{"another browser": back.String(), "another state": forged.String(),
		"the path of the company": strings.Replace(back.String(), "eu-enable-banking", gatewayBank, 1)} {
		resp, err := other.Get(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusSeeOther && name != "another browser" { // that one is shown how it can go on
			t.Errorf("%s: goes on to %s", name, resp.Header.Get("Location"))
		}
	}
	if s := p.pollConsent(t, id); s.Status != "AWAITING_AUTHORIZATION" || status() != "RETURNED_FROM_BANK" {
		t.Errorf("got %+v, at the gateway %s", s, status())
	}
	resp, err := first.Get(t.Context(), back.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	p.awaitConsent(t, id, "AUTHORIZED")
	if status() != "AUTHORIZED" {
		t.Errorf("at the gateway %s", status())
	}
}

// newcomer is a bank that the gateway has only from some day on.
const newcomer = "se-eb-nykomlingsbanken"

// docs/reference/families.md 11.1: a bank that the gateway has anew is offered without a
// restart, on each node, and one that it has no more is shown as unavailable; its consents
// go on.
func TestGateway_FollowsTheListWithoutARestart(t *testing.T) {
	t.Parallel()
	w := newEnv(t, flowtest.Postgres(t), clockSpeed)
	other := w.startNode(t)
	t.Cleanup(func() { _ = other.Stop(context.WithoutCancel(t.Context())) })
	p := w.person(t, elsa)
	nodes := []*apiclient.Client{{Base: w.Server.URL(), APIKey: w.APIKey, HTTP: http.DefaultClient}, {Base: other.URL(), APIKey: w.APIKey, HTTP: http.DefaultClient}}
	awaitStatus := func(company, want string) {
		t.Helper()
		for n, node := range nodes {
			w.await(t, company+" is "+want, func() bool {
				all, err := node.Companies(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(all, func(c apiclient.Company) bool { return c.ID == company })
				switch {
				case i < 0:
					return want == ""
				case all[i].Functional != (want == "AVAILABLE"):
					return false
				case len(all[i].LoginMethods) > 0 != all[i].Functional || !all[i].PSD2:
					t.Errorf("node %d lists %+v", n, all[i])
				}
				return true
			})
		}
	}
	awaitStatus(newcomer, "")
	old := p.requestConsent(t, consentRequest{company: gatewayBank})
	p.signOnPage(t, w.browser(), p.awaitPage(t, old), visitor.Person{Number: elsa, Phone: visitor.Approve})
	p.awaitConsent(t, old, "AUTHORIZED")

	if !w.Sandbox.Gateway().Offer("Nykomlingsbanken", "SE", true) || !w.Sandbox.Gateway().Offer("Länsförsäkringar", "SE", false) {
		t.Fatal("the gateway does not know its banks")
	}
	w.clock.Jump(24 * time.Hour)
	awaitStatus(newcomer, "AVAILABLE")
	awaitStatus(gatewayBank, "UNAVAILABLE")

	p.renewSession(t)
	p.collect(t, gatewayBank, old, address, "COMPLETED")
	p.Do(t, "POST", "/consents", consentRequest{company: gatewayBank}.body(elsa)).WantProblem(t, fault.InvalidParameter)
	id := p.requestConsent(t, consentRequest{company: newcomer})
	p.signOnPage(t, w.browser(), p.awaitPage(t, id), visitor.Person{Number: elsa, Phone: visitor.Approve})
	p.awaitConsent(t, id, "AUTHORIZED")
	p.collect(t, newcomer, id, address, "COMPLETED")

	w.Sandbox.Gateway().Offer("Länsförsäkringar", "SE", true)
	w.clock.Jump(24 * time.Hour)
	awaitStatus(gatewayBank, "AVAILABLE")
}
