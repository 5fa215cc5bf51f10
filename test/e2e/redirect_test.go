package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/test/harness"
)

// pageBank is a bank that is not signed by BankID's data alone, and who signs there.
type pageBank struct {
	company, number string
	sign            func(*testing.T, *person, consentRequest) string
	refreshes       bool // tokens are replaced
	tokenEnds       bool // the token ends, and cannot be replaced
	push            bool // other accounts than those of the other banks
}

var pageBanks = []pageBank{
	{company: "se-demo-redirect", number: maja},
	{company: "se-demo-redirect-explicit", number: ester},
	{company: "se-demo-oauth", number: alva, refreshes: true},
	{company: "se-demo-prestep", number: elsa, refreshes: true},
	{company: "se-demo-prestep-decoupled", number: tim, sign: signPushed, refreshes: true, push: true},
	{company: "se-sandbox-confirm", number: per, tokenEnds: true},
	{company: "se-sandbox-methods", number: gun, sign: signByCode},
	{company: "se-sandbox-implicit", number: noa, sign: signByCode},
	{company: "se-sandbox-cosign", number: sten, sign: signByTwo},
}

// signByCode signs at a bank that gives BankID's data.
func signByCode(t *testing.T, p *person, a consentRequest) string {
	t.Helper()
	id := p.requestConsent(t, a)
	p.usePhone(t, "approve", p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions, "")
	p.awaitConsent(t, id, "AUTHORIZED")
	return id
}

// signPushed signs at a bank that asks the person's phone after a login on its page.
func signPushed(t *testing.T, p *person, a consentRequest) string {
	t.Helper()
	id := p.requestConsent(t, a)
	p.w.goAndReturn(t, p.w.browser(), p.awaitPage(t, id), p.acts())
	p.w.await(t, "consent AUTHORIZED", func() bool {
		if s := p.pollConsent(t, id); s.Status == "AUTHORIZED" {
			return true
		}
		_ = p.w.phone.Act(t.Context(), "approve", "", "", p.personalNumber) // refused until the bank asks
		return false
	})
	return id
}

// signByTwo signs at a bank where a second person signs on another day.
func signByTwo(t *testing.T, p *person, a consentRequest) string {
	t.Helper()
	id := p.requestConsent(t, a)
	b, page := p.w.browser(), p.awaitPage(t, id)
	p.w.goAndReturn(t, b, page, p.acts())
	p.w.awaitBankStatus(t, id, "partiallyAuthorised")
	p.w.await(t, "nothing to do for the person", func() bool {
		c, err := p.w.Server.Store().Consent(t.Context(), consent.ID(id))
		return err == nil && c.AuthorizeBy.After(p.w.clock.Now().Add(24*time.Hour))
	})
	if got := p.w.get(t, b, page); got.status != http.StatusOK || !strings.Contains(got.body, `data-view="OTHERS_SIGN"`) {
		t.Errorf("the page says %d, and not that somebody else has to sign", got.status)
	}
	if s := p.pollConsent(t, id); s.Status != "AWAITING_AUTHORIZATION" || s.AuthInstructions.Type != "REDIRECT" {
		t.Errorf("while somebody else has to sign the consent is %s, with %s", s.Status, s.AuthInstructions.Type)
	}
	if signed, err := p.w.Sandbox.Bank(a.company).CoSign(p.w.bankConsent(t, id).ID, ester, false); err != nil || !signed {
		t.Fatal(signed, err)
	}
	p.w.await(t, "consent AUTHORIZED", func() bool {
		if p.pollConsent(t, id).Status == "AUTHORIZED" {
			return true
		}
		p.w.clock.Jump(time.Second)
		return false
	})
	return id
}

// Each bank is walked from the signature to the revocation. The banks share the clock: it
// moves between the parts, and each part runs for all banks.
func TestPages_FromSignatureToRevocation(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			var walks []*pageWalk
			for _, b := range pageBanks {
				walks = append(walks, &pageWalk{pageBank: b, person: w.person(t, b.number)})
			}
			part := func(name string, do func(*pageWalk, *testing.T)) {
				t.Run(name, func(t *testing.T) {
					for _, b := range walks {
						t.Run(b.company, func(t *testing.T) {
							b.renewSession(t)
							do(b, t)
						})
					}
				})
			}
			part("signed", (*pageWalk).signed)
			w.clock.Jump(2 * time.Hour) // longer than the tokens that have an end
			part("read without the person", (*pageWalk).unattended)
			for _, b := range walks {
				b.before = b.reads()
			}
			w.clock.Jump(25 * time.Hour)
			part("checked daily", (*pageWalk).checked)
			part("revoked by the client", (*pageWalk).revoked)
			part("revoked at the bank", (*pageWalk).endedThere)
			w.clock.Jump(15 * time.Minute) // then a refusal is certain
			part("ended here", (*pageWalk).ended)
		})
	}
}

// pageWalk is how far a bank was walked.
type pageWalk struct {
	pageBank
	*person
	consent  string
	products []account
	before   int // reads of consents at the bank
}

// reads returns how often the bank was asked for a consent.
func (p *pageWalk) reads() int {
	calls := p.w.calls(p.company)
	return calls["GET consents/*"] + calls["GET consents/*/status"]
}

func (p *pageWalk) signs(t *testing.T) string {
	t.Helper()
	sign := p.sign
	if sign == nil {
		sign = func(t *testing.T, p *person, a consentRequest) string { return p.signAtBank(t, a) }
	}
	return sign(t, p.person, consentRequest{company: p.company})
}

func (p *pageWalk) signed(t *testing.T) {
	p.consent = p.signs(t)
	p.products = p.person.products(t, p.collect(t, p.company, p.consent, address, "COMPLETED"))
	if p.push {
		if len(p.products) == 0 || p.products[0].Transactions == nil || len(*p.products[0].Transactions) == 0 {
			t.Errorf("products %+v", p.products)
		}
		return
	}
	compareWithBank(t, p.w, p.company, p.number, p.products, attendedDays)
}

func (p *pageWalk) unattended(t *testing.T) {
	before := p.w.calls(p.company)["token refresh_token"]
	if p.tokenEnds {
		p.collect(t, p.company, p.consent, "", "AUTHENTICATION_ERROR")
		return
	}
	got := p.person.products(t, p.collect(t, p.company, p.consent, "", "COMPLETED"))
	if !p.push {
		compareWithBank(t, p.w, p.company, p.number, got, unattendedDays)
	}
	if len(got) != len(p.products) {
		t.Errorf("%d products without the person, %d with", len(got), len(p.products))
	}
	if n := p.w.calls(p.company)["token refresh_token"] - before; n > 1 || (n == 1) != p.refreshes {
		t.Errorf("%d refreshes", n)
	}
}

func (p *pageWalk) checked(t *testing.T) {
	if p.tokenEnds {
		return
	}
	p.w.await(t, "the daily check", func() bool { return p.reads() > p.before })
	if s := p.pollConsent(t, p.consent); s.Status != "AUTHORIZED" {
		t.Errorf("the consent is %s after the daily check", s.Status)
	}
}

func (p *pageWalk) revoked(t *testing.T) {
	if p.tokenEnds {
		p.consent = p.signs(t)
	}
	p.revokeConsent(t, p.consent)
	p.w.awaitBankStatus(t, p.consent, "terminatedByTpp")
	p.Do(t, "POST", "/collections", storedConsent(p.company, p.consent, address)).WantProblem(t, fault.ConsentRevoked)
}

func (p *pageWalk) endedThere(t *testing.T) {
	p.consent = p.signs(t)
	p.w.revokeAtBank(t, p.consent)
	id := p.startCollection(t, storedConsent(p.company, p.consent, address)).ID
	p.w.await(t, "a collection that has ended", func() bool { return p.pollCollection(t, id).PollingInterval == nil })
	if s := p.pollCollection(t, id); s.Status != "AUTHENTICATION_ERROR" && s.Status != "THIRD_PARTY_ERROR" {
		t.Errorf("the collection is %s", s.Status)
	}
}

func (p *pageWalk) ended(t *testing.T) {
	p.awaitConsent(t, p.consent, "REVOKED")
	p.Do(t, "POST", "/collections", storedConsent(p.company, p.consent, "")).WantProblem(t, fault.ConsentRevoked)
}
