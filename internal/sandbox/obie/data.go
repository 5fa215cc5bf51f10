package obie

import (
	"strings"

	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/persona"
)

// covered returns the accounts that the person chose.
func (c *call) covered() []resource.Account {
	var out []resource.Account
	for _, a := range c.accounts(c.person) {
		if c.consent.Covers(a.ID) {
			out = append(out, a)
		}
	}
	return out
}

// account returns the account in the path: an account that exists and is not covered is an
// error of status 403, one that never was 400 (docs/reference/families.md 4.6).
func (c *call) account() (resource.Account, *apiError) {
	for _, a := range c.accounts(c.person) {
		if a.ID == c.id && c.consent.Covers(a.ID) {
			return a, nil
		}
		if a.ID == c.id {
			return a, forbidden(resource.ConsentMismatch, "the consent does not cover the account")
		}
	}
	for _, p := range persona.All() {
		own, _ := c.customers.Person(p.Number)
		for _, a := range c.accounts(own) {
			if a.ID == c.id {
				return a, forbidden(resource.ConsentMismatch, "the consent does not cover the account")
			}
		}
	}
	return resource.Account{}, badRequest(resource.NotFound, "no such account", "AccountId")
}

func (c *call) listAccounts() (answer, *apiError) {
	if e := c.countRead("accounts", ""); e != nil {
		return answer{}, e
	}
	list := []any{}
	for _, a := range c.covered() {
		list = append(list, c.Version.Account(a, c.consent, c.BIC))
	}
	return c.document(map[string]any{"Account": list}), nil
}

func (c *call) readAccount() (answer, *apiError) {
	a, e := c.account()
	if e == nil {
		e = c.countRead("account", a.ID)
	}
	if e != nil {
		return answer{}, e
	}
	return c.document(map[string]any{"Account": []any{c.Version.Account(a, c.consent, c.BIC)}}), nil
}

func (c *call) readBalances() (answer, *apiError) {
	a, e := c.account()
	if e == nil {
		e = c.countRead("balances", a.ID)
	}
	if e != nil {
		return answer{}, e
	}
	return c.document(map[string]any{"Balance": c.Version.Balances(a, c.ledger(a.Account), c.Clock.Now())}), nil
}

func (c *call) listBalances() (answer, *apiError) {
	if e := c.countRead("balances", ""); e != nil {
		return answer{}, e
	}
	list := []any{}
	for _, a := range c.covered() {
		list = append(list, c.Version.Balances(a, c.ledger(a.Account), c.Clock.Now())...)
	}
	return c.document(map[string]any{"Balance": list}), nil
}

// The parties of an account with two owners are both; /party is the person who logged in.
func (c *call) readAccountParty() (answer, *apiError) {
	list, e := c.parties()
	if e != nil {
		return answer{}, e
	}
	return c.document(map[string]any{"Party": list[0]}), nil
}

func (c *call) readAccountParties() (answer, *apiError) {
	list, e := c.parties()
	if e != nil {
		return answer{}, e
	}
	return c.document(map[string]any{"Party": list}), nil
}

func (c *call) parties() ([]any, *apiError) {
	a, e := c.account()
	if e == nil {
		e = c.countRead("party", a.ID)
	}
	if e != nil {
		return nil, e
	}
	var list []any
	for _, name := range a.Owners {
		if name == c.person.Name() {
			list = append(list, c.party(c.person, len(a.Owners) > 1, true))
			continue
		}
		given, surname, _ := strings.Cut(name, " ")
		list = append(list, c.party(persona.Person{GivenName: given, Surname: surname}, true, false))
	}
	return list, nil
}

func (c *call) readParty() (answer, *apiError) {
	if e := c.countRead("party", ""); e != nil {
		return answer{}, e
	}
	return c.document(map[string]any{"Party": c.party(c.person, false, true)}), nil
}

// party renders a person; only that of the consent has a number.
func (c *call) party(p persona.Person, joint, own bool) any {
	return resource.Party(p, c.partyID(p), joint, own && c.PartyNumber)
}

// emptyLists are resources of which this bank has nothing to tell.
var emptyLists = map[string]struct {
	permissions []string
	serve       func(*call) (answer, *apiError)
}{
	"beneficiaries":      {[]string{"ReadBeneficiariesBasic", "ReadBeneficiariesDetail"}, emptyList("Beneficiary")},
	"direct-debits":      {[]string{"ReadDirectDebits"}, emptyList("DirectDebit")},
	"standing-orders":    {[]string{"ReadStandingOrdersBasic", "ReadStandingOrdersDetail"}, emptyList("StandingOrder")},
	"scheduled-payments": {[]string{"ReadScheduledPaymentsBasic", "ReadScheduledPaymentsDetail"}, emptyList("ScheduledPayment")},
}

func emptyList(member string) func(*call) (answer, *apiError) {
	return func(c *call) (answer, *apiError) {
		a, e := c.account()
		if e == nil {
			e = c.countRead(member, a.ID)
		}
		if e != nil {
			return answer{}, e
		}
		return c.document(map[string]any{member: []any{}}), nil
	}
}
