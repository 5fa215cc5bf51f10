package nordea

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"samla/internal/sandbox/persona"
)

// object is a JSON object whose members depend on the scopes.
type object map[string]any

// number is a JSON number as it is written.
type number string

// MarshalJSON returns the number itself.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// amount returns minor units of the ledger as the account shows them.
func (a account) amount(minor int64) number {
	minor *= a.scale
	if a.digits == 0 {
		return number(strconv.FormatInt(minor, 10))
	}
	return number(persona.Amount(minor))
}

func (g Grant) allows(scope string) bool { return slices.Contains(g.Scopes, scope) }

// id returns the id of the account in a version.
func (a account) id(version string) string {
	if version == "v4" {
		return a.v4
	}
	return a.v5
}

type numberOf struct {
	Type  string `json:"_type"`
	Value string `json:"value"`
}

func (a account) numbersOf() []numberOf {
	var list []numberOf
	if a.iban != "" {
		list = append(list, numberOf{"IBAN", a.iban})
	}
	if kind := countries[a.country].bbanType; kind != "" {
		list = append(list, numberOf{kind, a.bban})
	}
	return list
}

type relation struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// accountObject returns the members of an account that the scopes of the grant allow
// (docs/reference/families.md 3.6).
func (c *call) accountObject(a account, g Grant) object {
	path := "/" + c.version + "/accounts/" + a.id(c.version)
	links := []relation{{"details", path}}
	if g.allows(scopeTransactions) {
		links = append(links, relation{"transactions", path + "/transactions"})
	}
	o := object{"_id": a.id(c.version), "currency": a.currency, "account_numbers": a.numbersOf(), "_links": links}
	now := c.balances(a)
	if g.allows(scopeBalances) {
		o["available_balance"] = a.amount(now.available + a.CreditLimit)
		o["booked_balance"] = a.amount(now.booked)
		o["value_dated_balance"] = a.amount(now.booked)
	}
	if !g.allows(scopeDetails) {
		return o
	}
	person := c.person(g)
	o["account_name"] = strings.ToUpper(person.Surname + ", " + person.GivenName)
	o["account_type"], o["country"], o["product"] = a.kind, a.country, strings.ToUpper(a.Product)
	o["bank"] = map[string]string{"bic": countries[a.country].bic, "country": a.country, "name": "Nordea"}
	o["credit_limit"] = a.amount(a.CreditLimit)
	o["status"] = "OPEN"
	if a.Status == "deleted" {
		o["status"] = "CLOSED"
	}
	if now.latest != 0 {
		o["latest_transaction_booking_date"] = now.latest.String()
	}
	if c.version == "v5" && a.Name != a.Product {
		o["nickname"] = a.Name
	}
	return o
}

func (c *call) envelope(page *pagination, v any) response {
	return response{http.StatusOK, nil, object{"group_header": c.group(http.StatusOK, page), "response": v}}
}

func (c *call) listAccounts() (response, *apiError) {
	g, f := c.bearer(scopeBasic)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := personError(c.person(g)); f != nil {
		return response{}, f
	}
	list := []object{}
	for _, a := range c.granted(g) {
		list = append(list, c.accountObject(a, g))
	}
	if f := c.countRead(g, "accounts"); f != nil {
		return response{}, f
	}
	return c.envelope(nil, object{"accounts": list}), nil
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
	g, a, f := c.account(scopeBasic)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := c.countRead(g, "details/"+a.v5); f != nil {
		return response{}, f
	}
	return c.envelope(nil, c.accountObject(a, g)), nil
}

// account returns the grant of the request and the account of the path. Somebody else's
// account, and one that is not shared, is denied; an unknown id is not found.
func (c *call) account(scopes ...string) (Grant, account, *apiError) {
	g, f := c.bearer(scopes...)
	if f != nil {
		return g, account{}, f
	}
	p := c.person(g)
	for _, a := range c.accounts(p, g.Country) {
		if a.id(c.version) != c.id {
			continue
		}
		if !slices.Contains(g.Accounts, a.v5) {
			return g, a, denied("The account is not shared.")
		}
		return g, a, personError(p)
	}
	return g, account{}, c.unknown()
}

// unknown is the error for an id that is not one of the person's.
func (c *call) unknown() *apiError {
	if c.owners[c.id] != "" {
		return denied("The resource belongs to another customer.")
	}
	return notFound()
}

func (c *call) convertToV5() (response, *apiError) {
	return c.convert("v4", func(a account) string { return a.v5 })
}

func (c *call) convertToV4() (response, *apiError) {
	return c.convert("v5", func(a account) string { return a.v4 })
}

// convert answers with the account's id in the other version. It does not count as a read:
// no data of the account is in it.
func (c *call) convert(from string, to func(account) string) (response, *apiError) {
	c.version = from
	_, a, f := c.account(scopeBasic)
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
	accounts, cards := []object{}, []object{}
	for _, a := range c.granted(g) {
		accounts = append(accounts, object{
			"account_id": a.id(c.version), "account_number": a.number(), "currency": a.currency,
		})
		if a.iban != "" {
			accounts[len(accounts)-1]["iban"] = a.iban
		}
	}
	for _, id := range g.Cards {
		cards = append(cards, object{"card_id": id})
	}
	return c.envelope(nil, object{"accounts": accounts, "cards": cards, "scopes": g.Scopes}), nil
}
