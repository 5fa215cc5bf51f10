package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/sandbox/nordea"
	"samla/internal/visitor"
	"samla/test/harness"
)

// A bank whose tokens are the consent, from the signature to the revocation. Tokens are
// replaced when they have run out, and their end at the bank ends the consent.
func TestNordea_FromSignatureToRevocation(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			bank := w.Sandbox.NordeaBank(nordeaBank)
			p, q := w.person(t, maja), w.person(t, sten)

			first := p.authorizeAtNordea(t)
			if n := bank.Stats().EarlyPolls; n != 0 {
				t.Errorf("%d questions before the time that the bank names", n)
			}
			attended := p.products(t, p.collect(t, nordeaBank, first, address, "COMPLETED"))
			hasTypes(t, attended, "PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT")
			for _, a := range attended {
				if a.IBAN == "" || a.Currency != "SEK" || a.BookedBalance == nil || a.AvailableBalance == nil || a.Transactions == nil || a.AccountHolderName == "" {
					t.Errorf("a product without its members: %s %v %v", a.Type, a.BookedBalance, a.AvailableBalance)
				}
			}

			w.clock.Jump(2 * time.Hour) // longer than an access token
			p.renewSession(t)
			unattended := p.products(t, p.collect(t, nordeaBank, first, "", "COMPLETED"))
			if n := bank.Stats().Refreshes; n != 1 {
				t.Errorf("%d refreshes", n)
			}
			for i, a := range unattended {
				if a.AccountID != attended[i].AccountID || len(*a.Transactions) == 0 || len(*a.Transactions) >= len(*attended[i].Transactions) {
					t.Errorf("without the person: %s with %d rows, with: %d", a.Type, len(*a.Transactions), len(*attended[i].Transactions))
				}
			}

			p.revokeConsent(t, first)
			w.await(t, "the revocation of the tokens", func() bool { return grantOf(bank).Revoked })
			p.Do(t, "POST", "/collections", storedConsent(nordeaBank, first, address)).WantProblem(t, fault.ConsentRevoked)

			q.renewSession(t)
			second := q.authorizeAtNordea(t)
			if ok, err := bank.Revoke(grantOf(bank).ID); err != nil || !ok { // the person withdraws it there
				t.Fatal(ok, err)
			}
			// One refusal of the tokens may be an outage of the bank; the second one is certain.
			q.collect(t, nordeaBank, second, address, "THIRD_PARTY_ERROR")
			w.clock.Jump(15 * time.Minute)
			q.awaitConsent(t, second, "REVOKED")
		})
	}
}

// The same bank by redirect: the person signs on its page, and shares cards, too. A refusal
// there has its status, and asks for no token.
func TestNordea_ByRedirect(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			bank := w.Sandbox.NordeaBank(nordeaBank)
			p := w.person(t, maja)

			id := p.authorizeOnPage(t, nordeaOnPage)
			attended := p.products(t, p.collect(t, nordeaOnPage, id, address, "COMPLETED"))
			hasTypes(t, attended, "PSD2_CHECKING_ACCOUNT", "PSD2_CREDIT_CARD", "PSD2_SAVINGS_ACCOUNT")
			for _, a := range attended {
				if a.Currency != "SEK" || a.Transactions == nil || len(*a.Transactions) == 0 {
					t.Errorf("a product without its members: %s in %s", a.Type, a.Currency)
				}
			}
			w.clock.Jump(2 * time.Hour) // longer than an access token
			p.renewSession(t)
			if again := p.products(t, p.collect(t, nordeaOnPage, id, "", "COMPLETED")); len(again) != len(attended) || bank.Stats().Refreshes != 1 {
				t.Errorf("without the person: %d products of %d, %d refreshes", len(again), len(attended), bank.Stats().Refreshes)
			}
			p.revokeConsent(t, id)
			w.await(t, "the revocation of the tokens", func() bool { return grantOf(bank).Revoked })

			p.renewSession(t)
			grants := bank.Stats().Grants
			refused := p.requestConsent(t, consentRequest{company: nordeaOnPage})
			p.goAndReturnAs(t, p.awaitConsent(t, refused, "AWAITING_AUTHORIZATION").AuthInstructions.RedirectURL, visitor.Person{Number: maja, Phone: visitor.Approve, Refuse: true})
			if s := p.awaitConsent(t, refused, "FAILED"); s.Error.Code != "AUTHENTICATION_CANCELLED" {
				t.Errorf("failed as %s", s.Error.Code)
			}
			if n := bank.Stats().Grants - grants; n != 0 {
				t.Errorf("%d grants of who refused", n)
			}
		})
	}
}

// authorizeAtNordea creates a consent, signs it, and returns its id.
func (p *person) authorizeAtNordea(t *testing.T) string {
	t.Helper()
	id := p.requestConsent(t, consentRequest{company: nordeaBank})
	i := p.awaitConsent(t, id, "AWAITING_AUTHORIZATION").AuthInstructions
	if !strings.HasPrefix(i.QRData, "bankid.") || i.AutoStartToken == "" {
		t.Errorf("instructions of type %s without a code", i.Type)
	}
	p.usePhone(t, "approve", i, "")
	if s := p.awaitConsent(t, id, "AUTHORIZED"); !s.Scope.Balances || !s.Scope.Transactions || len(s.Scope.AccountIDs) != 0 {
		t.Errorf("granted %+v", s.Scope)
	}
	return id
}

// grantOf returns the newest grant of the bank.
func grantOf(b *nordea.Bank) nordea.GrantInfo {
	return slices.MaxFunc(b.Grants(), func(a, b nordea.GrantInfo) int { return a.Signed.Compare(b.Signed) })
}
