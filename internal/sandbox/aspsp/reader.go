package aspsp

import "samla/internal/sandbox/persona"

// reader is a consent that may read accounts, with its customer.
type reader struct {
	Consent
	person persona.Person
}

// reader checks the header Consent-ID for a read of account data (docs/reference/banks.md 8).
func (c *call) reader() (reader, *refusal) {
	id := c.r.Header.Get("Consent-ID")
	if id == "" {
		return reader{}, formatError("Consent-ID is required")
	}
	if f := c.script(); f != nil {
		return reader{}, f
	}
	c.mu.Lock()
	h, f := c.find(id)
	if f != nil {
		c.mu.Unlock()
		return reader{}, f
	}
	consent := h.Consent
	c.mu.Unlock()
	switch consent.Status {
	case Valid:
	case Expired:
		return reader{}, unauthorized("CONSENT_EXPIRED", "the consent has expired")
	default:
		return reader{}, consentInvalid("the consent is not valid")
	}
	p, ok := c.people.Person(consent.Signer)
	if !ok {
		return reader{}, consentInvalid("the consent has no customer")
	}
	if p.Status != 0 {
		return reader{}, &refusal{status: p.Status}
	}
	return reader{consent, p}, nil
}

// coveredAccount finds the account of the path among those the consent covers, and
// asks need whether the scope is enough.
func (c *call) coveredAccount(rd reader, need func(Scope) bool) (persona.Account, Scope, *refusal) {
	a, ok := rd.person.Account(c.account)
	if !ok || !c.listed(a) {
		return a, Scope{}, resourceUnknown("no such account")
	}
	s := rd.Access.scope(a)
	if !s.Visible || !need(s) {
		return a, s, consentInvalid("the consent does not cover this")
	}
	return a, s, nil
}

// listed tells whether the account stands under the resource of the path.
func (c *call) listed(a persona.Account) bool {
	return c.cards == (a.Card && !c.CardsInAccounts)
}
