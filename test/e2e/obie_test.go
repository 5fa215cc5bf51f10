package e2e

import (
	"slices"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
	"samla/internal/visitor"
	"samla/test/harness"
)

// The banks that speak OBIE, 3.1.11 and 4.0.
var obieBanks = []string{"se-demo-obie", "se-demo-obie4"}

// A bank that speaks OBIE, from the page where the person signs to the revocation. Tokens
// are replaced when they have run out, and their end at the bank ends the consent.
func TestOBIE_FromSignatureToRevocation(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			p, q := w.person(t, maja), w.person(t, sten)
			for _, company := range obieBanks {
				bank := w.Sandbox.OBIEBank(company)

				p.renewSession(t)
				first := p.authorizeOnPage(t, company)
				attended := p.products(t, p.collect(t, company, first, address, "COMPLETED"))
				hasTypes(t, attended, "PSD2_CHECKING_ACCOUNT", "PSD2_CREDIT_CARD", "PSD2_SAVINGS_ACCOUNT")
				for _, a := range attended {
					if a.Currency != "SEK" || a.BookedBalance == nil || a.AvailableBalance == nil || a.Transactions == nil || a.AccountHolderName == "" {
						t.Errorf("a product without its members: %s %v %v", a.Type, a.BookedBalance, a.AvailableBalance)
					}
				}
				if n := bank.Calls().Count("token authorization_code"); n != 1 {
					t.Errorf("%d codes were exchanged", n)
				}

				w.clock.Jump(2 * time.Hour) // longer than an access token
				p.renewSession(t)
				unattended := p.products(t, p.collect(t, company, first, "", "COMPLETED"))
				if n := bank.Calls().Count("token refresh_token"); n != 1 {
					t.Errorf("%d refreshes", n)
				}
				for i, a := range unattended {
					if a.AccountID != attended[i].AccountID || len(*a.Transactions) == 0 || len(*a.Transactions) >= len(*attended[i].Transactions) {
						t.Errorf("without the person: %s with %d rows, with: %d", a.Type, len(*a.Transactions), len(*attended[i].Transactions))
					}
				}

				p.revokeConsent(t, first)
				w.await(t, "the deletion of the consent", func() bool { return newestConsent(bank).Deleted })
				p.Do(t, "POST", "/collections", storedConsent(company, first, address)).WantProblem(t, fault.ConsentRevoked)

				q.renewSession(t)
				second := q.authorizeOnPage(t, company)
				if ok, err := bank.Revoke(newestConsent(bank).ID); err != nil || !ok { // the person ends it there
					t.Fatal(ok, err)
				}
				// One refusal of the tokens may be an outage of the bank; the second one is certain.
				q.collect(t, company, second, address, "THIRD_PARTY_ERROR")
				w.clock.Jump(15 * time.Minute)
				q.awaitConsent(t, second, "REVOKED")
			}
		})
	}
}

// docs/reference/families.md 15, O6: what a browser brings in the query, where servers and
// logs on the way have seen it, is not exchanged.
func TestOBIE_RefusesAnAnswerInTheQuery(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	p := w.person(t, maja)
	for _, company := range obieBanks {
		bank := w.Sandbox.OBIEBank(company)
		bank.SetVariant(signed.InQuery)
		id := p.requestConsent(t, consentRequest{company: company})
		p.signAndReturn(t, p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions.RedirectURL)
		if s := p.awaitConsent(t, id, "FAILED"); s.Error.Code != "AUTHENTICATION_FAILED" {
			t.Errorf("%s: failed as %s", company, s.Error.Code)
		}
		if n := bank.Calls().Count("token authorization_code"); n != 0 {
			t.Errorf("%s: %d codes were exchanged", company, n)
		}
	}
}

// authorizeOnPage creates a consent, lets the person sign it on the page of the bank and
// come back in the same browser, and returns its id.
func (p *person) authorizeOnPage(t *testing.T, company string) string {
	t.Helper()
	id := p.requestConsent(t, consentRequest{company: company})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if i.RedirectURL == "" {
		t.Fatalf("instructions of type %s without an address", i.Type)
	}
	p.signAndReturn(t, i.RedirectURL)
	// Nordea names the accounts that the person has chosen.
	if s := p.awaitConsent(t, id, "AUTHORIZED"); !s.Scope.Balances || !s.Scope.Transactions || (len(s.Scope.AccountIDs) != 0) != (company == nordeaOnPage) {
		t.Errorf("granted %+v", s.Scope)
	}
	return id
}

// signAndReturn lets the person sign on a page of a bank, and come back in the same browser.
func (p *person) signAndReturn(t *testing.T, page string) {
	t.Helper()
	p.goAndReturnAs(t, page, visitor.Person{Number: p.personalNumber, Phone: visitor.Approve, SignsAs: p.personalNumber})
}

// goAndReturnAs lets somebody walk a page of a bank, and come back in the same browser.
func (p *person) goAndReturnAs(t *testing.T, page string, v visitor.Person) {
	t.Helper()
	ctx := t.Context()
	browser := visitor.New(p.w.phone.HTTP.Transport, p.w.clock, p.w.Sandbox.URL())
	back, err := browser.Visit(ctx, page, v)
	if err == nil {
		_, err = browser.Arrive(ctx, back)
	}
	if err != nil {
		t.Fatalf("the person does not come back: %v", err)
	}
}

// newestConsent returns the newest consent of the bank.
func newestConsent(b *obie.Bank) obie.ConsentInfo {
	return slices.MaxFunc(b.List(), func(a, b obie.ConsentInfo) int { return a.Created.Compare(b.Created) })
}
