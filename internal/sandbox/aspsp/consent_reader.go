package aspsp

import "samla/internal/sandbox/persona"

// reader is a valid consent with its customer.
type reader struct {
	Consent
	person persona.Person
}

// reader returns the consent of the header Consent-ID if it is valid for reading
// account data (docs/reference/banks.md 8).
func (c *call) reader() (reader, *apiError) {
	id := c.r.Header.Get("Consent-ID")
	if id == "" {
		return reader{}, formatError("Consent-ID is required")
	}
	if f := c.scriptedFailure(); f != nil {
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
	if f := c.checkBearer(consent); f != nil {
		return reader{}, f
	}
	p, ok := c.customers.Person(consent.Signer)
	if !ok {
		return reader{}, consentInvalid("the consent has no customer")
	}
	if p.Status != 0 {
		return reader{}, &apiError{status: p.Status}
	}
	return reader{consent, c.known(p)}, nil
}

// coveredAccount returns the account of the path if the consent covers it and need
// reports true for its scope.
func (c *call) coveredAccount(rd reader, need func(Scope) bool) (persona.Account, Scope, *apiError) {
	a, ok := rd.person.Account(c.accountID)
	if !ok || !c.underPath(a) {
		return a, Scope{}, resourceUnknown("no such account")
	}
	s := rd.Access.scope(a)
	if !s.Visible || !need(s) {
		return a, s, consentInvalid("the consent does not cover this")
	}
	return a, s, nil
}

// underPath reports whether the account belongs to the resource of the path: accounts
// or card-accounts.
func (c *call) underPath(a persona.Account) bool {
	return c.cards == (a.Card && !c.CardsInAccounts)
}

// known returns the person with the accounts that this bank has.
func (b Behaviour) known(p persona.Person) persona.Person {
	if !b.NoCards && !b.Spaces {
		return p
	}
	var accounts []persona.Account
	for _, a := range p.Accounts {
		if a.Card && b.NoCards {
			continue
		}
		if b.Spaces && a.Type == "SVGS" {
			a.Type, a.IBAN, a.BBAN = "TRAN", "", ""
		}
		accounts = append(accounts, a)
	}
	p.Accounts = accounts
	return p
}
