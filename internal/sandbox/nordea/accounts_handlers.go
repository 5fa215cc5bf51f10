package nordea

import (
	"net/http"
	"slices"

	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
	"samla/internal/sandbox/persona"
)

// accountObject returns the members of an account that the scopes of the grant allow.
func (c *call) accountObject(a account.Account, g grant.Grant) account.Object {
	sees := account.Sees{Balances: g.Allows(grant.Balances), Details: g.Allows(grant.Details), Transactions: g.Allows(grant.Transactions)}
	ledger, now := c.ledger(a.Account)
	return a.Object(c.version, sees, c.person(g), ledger, now)
}

func (c *call) envelope(page *pagination, v any) response {
	return response{http.StatusOK, nil, account.Object{"group_header": c.group(http.StatusOK, page), "response": v}}
}

func (c *call) listAccounts() (response, *apiError) {
	g, f := c.bearer(grant.Basic)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := personError(c.person(g)); f != nil {
		return response{}, f
	}
	list := []account.Object{}
	for _, a := range c.granted(g) {
		list = append(list, c.accountObject(a, g))
	}
	if f := c.countRead(g, "accounts"); f != nil {
		return response{}, f
	}
	return c.envelope(nil, account.Object{"accounts": list}), nil
}

// personError is the error with which all reads of a persona fail.
func personError(p persona.Person) *apiError {
	if p.Status != 0 {
		return scripted(p.Status)
	}
	return nil
}

func scripted(status int) *apiError {
	if status == http.StatusServiceUnavailable {
		f := newError(status, codeUnavailable, "The service is not available.")
		f.header = retryAfter(0)
		return f
	}
	return serverError()
}

func (c *call) getAccount() (response, *apiError) {
	g, a, f := c.account(grant.Basic)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := c.countRead(g, "details/"+a.V5); f != nil {
		return response{}, f
	}
	return c.envelope(nil, c.accountObject(a, g)), nil
}

// account returns the grant of the request and the account of the path. Somebody else's
// account, and one that is not shared, is denied; an unknown id is not found.
func (c *call) account(scopes ...string) (grant.Grant, account.Account, *apiError) {
	g, f := c.bearer(scopes...)
	if f != nil {
		return g, account.Account{}, f
	}
	p := c.person(g)
	for _, a := range c.accounts(p, g.Country) {
		if a.ID(c.version) != c.id {
			continue
		}
		if !slices.Contains(g.Accounts, a.V5) {
			return g, a, denied("The account is not shared.")
		}
		return g, a, personError(p)
	}
	return g, account.Account{}, c.unknown()
}

// unknown is the error for an id that is not one of the person's.
func (c *call) unknown() *apiError {
	if c.owners[c.id] != "" {
		return denied("The resource belongs to another customer.")
	}
	return notFound()
}

func (c *call) convertToV5() (response, *apiError) {
	return c.convert("v4", func(a account.Account) string { return a.V5 })
}

func (c *call) convertToV4() (response, *apiError) {
	return c.convert("v5", func(a account.Account) string { return a.V4 })
}

// convert answers with the account's id in the other version. It does not count as a read:
// no data of the account is in it.
func (c *call) convert(from string, to func(account.Account) string) (response, *apiError) {
	c.version = from
	_, a, f := c.account(grant.Basic)
	if f != nil {
		return response{}, f
	}
	return c.envelope(nil, map[string]string{"_id": to(a)}), nil
}

// assets answers with what the grant covers (docs/reference/families.md 3.5).
func (c *call) assets() (response, *apiError) {
	g, f := c.bearer()
	if f != nil {
		return response{}, f
	}
	accounts, cards := []account.Object{}, []account.Object{}
	for _, a := range c.granted(g) {
		accounts = append(accounts, a.Asset(c.version))
	}
	for _, id := range g.Cards {
		cards = append(cards, account.Object{"card_id": id})
	}
	return c.envelope(nil, account.Object{"accounts": accounts, "cards": cards, "scopes": g.Scopes}), nil
}
