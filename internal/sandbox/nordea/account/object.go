package account

import (
	"strings"
	"time"

	"samla/internal/sandbox/persona"
)

// Object is a JSON object whose members depend on the scopes.
type Object map[string]any

// Number is a JSON number as it is written.
type Number string

// MarshalJSON returns the number itself.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// money returns minor units with two decimals.
func money(minor int64) Number { return Number(persona.Amount(minor)) }

// NumberOf is AccountNumber of Nordea's files.
type NumberOf struct {
	Type  string `json:"_type"`
	Value string `json:"value"`
}

// Numbers returns the numbers of the account, at least one.
func (a Account) Numbers() []NumberOf {
	var list []NumberOf
	if a.iban != "" {
		list = append(list, NumberOf{"IBAN", a.iban})
	}
	if kind := countries[a.Country].bbanType; kind != "" {
		list = append(list, NumberOf{kind, a.bban})
	}
	return list
}

// Link is a relation to another resource. The address is relative to the root.
type Link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// Sees is which parts of an account a grant shows (docs/reference/families.md 3.6).
type Sees struct{ Balances, Details, Transactions bool }

// Object returns the account as its holder's grant shows it in a version, at a time on the
// ledger's day.
func (a Account) Object(version string, sees Sees, holder persona.Person, ledger *persona.Ledger, now time.Time) Object {
	path := "/" + version + "/accounts/" + a.ID(version)
	links := []Link{{"details", path}}
	if sees.Transactions {
		links = append(links, Link{"transactions", path + "/transactions"})
	}
	o := Object{"_id": a.ID(version), "currency": a.Currency, "account_numbers": a.Numbers(), "_links": links}
	sums := a.balances(ledger, now)
	if sees.Balances {
		o["available_balance"] = a.amount(sums.available + a.CreditLimit)
		o["booked_balance"] = a.amount(sums.booked)
		o["value_dated_balance"] = a.amount(sums.booked)
	}
	if !sees.Details {
		return o
	}
	o["account_name"] = strings.ToUpper(holder.Surname + ", " + holder.GivenName)
	o["account_type"], o["country"], o["product"] = a.Kind, a.Country, strings.ToUpper(a.Product)
	o["bank"] = map[string]string{"bic": countries[a.Country].bic, "country": a.Country, "name": "Nordea"}
	o["credit_limit"] = a.amount(a.CreditLimit)
	o["status"] = "OPEN"
	if a.Status == "deleted" {
		o["status"] = "CLOSED"
	}
	if sums.latest != 0 {
		o["latest_transaction_booking_date"] = sums.latest.String()
	}
	if version == "v5" && a.Name != a.Product {
		o["nickname"] = a.Name
	}
	return o
}

// Asset returns the account as assets list it.
func (a Account) Asset(version string) Object {
	o := Object{"account_id": a.ID(version), "account_number": a.Number(), "currency": a.Currency}
	if a.iban != "" {
		o["iban"] = a.iban
	}
	return o
}
