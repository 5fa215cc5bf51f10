// Package account makes the accounts, transactions and cards of a bank with Nordea's wire from
// the personas of the sandbox: for four countries, in the forms of Nordea's files. It is pure.
//
// Source: docs/reference/families.md 3.6, 3.7 and 15.1.
package account

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"samla/internal/sandbox/persona"
)

// Kind is account_type.
type Kind string

// The kinds.
const (
	Current Kind = "Current"
	Savings Kind = "Savings"
)

// Account is an account of a person in one currency, in one of the four countries. The same
// persona has accounts in each: their numbers, ids and home currency differ.
type Account struct {
	persona.Account
	Country  string
	Currency string // of the numbers that the bank shows
	Kind     Kind
	V4, V5   string // ids
	iban     string // empty: the account has none
	bban     string // empty: the country has none
	ledger   string // currency of the persona's ledger
	digits   int    // decimals of the currency
	scale    int64  // what amounts are multiplied with
}

// country is what differs between the countries.
type country struct {
	bic, currency, bbanType string
}

var countries = map[string]country{
	"SE": {"NDEASESS", "SEK", "BBAN_SE"},
	"NO": {"NDEANOKK", "NOK", "BBAN_NO"},
	"DK": {"NDEADKKK", "DKK", "BBAN_DK"},
	"FI": {"NDEAFIHH", "EUR", ""},
}

// bigCustomer is the persona whose amounts are multiplied with bigFactor, so that clients
// meet numbers with more digits than they may expect.
const (
	bigCustomer = "196603233724"
	bigFactor   = 10_000_019
)

// noDecimals are currencies without a minor unit.
var noDecimals = []string{"JPY"}

// Countries returns the countries of the bank.
func Countries() []string { return []string{"SE", "NO", "DK", "FI"} }

// Of returns the accounts of a person in a country: payment accounts only, so neither loans
// nor cards. An account with several currencies is one account for each.
func Of(person persona.Person, where string) []Account {
	var list []Account
	for _, p := range person.Accounts {
		if p.Card || p.Type == "LOAN" {
			continue
		}
		for _, currency := range p.Currencies() {
			list = append(list, newAccount(p, person.Number, where, currency, currency))
		}
		// Somebody with an account in several currencies has one in yen too, whose numbers
		// are those of the account in euro.
		if p.Currency == "XXX" {
			list = append(list, newAccount(p, person.Number, where, "EUR", "JPY"))
		}
	}
	return list
}

// newAccount returns the account of a persona's account with this ledger, shown in another
// currency.
func newAccount(p persona.Account, person, where, ledger, shown string) Account {
	home := countries[where]
	if shown == "SEK" {
		shown = home.currency
	}
	a := Account{Account: p, Country: where, ledger: ledger, Currency: shown, digits: 2, scale: 1, Kind: Current}
	if slices.Contains(noDecimals, shown) {
		a.digits = 0
	}
	if person == bigCustomer {
		a.scale = bigFactor
	}
	switch {
	case slices.Contains([]string{"SVGS", "LLSV", "MOMA"}, p.Type), p.Type == "" && strings.HasPrefix(p.Product, "Spar"):
		a.Kind = Savings
	}
	sum := sha256.Sum256([]byte(p.ID + "/" + where + "/" + ledger + "/" + shown))
	a.iban, a.bban = numbers(where, p, shown, sum[:])
	a.V4 = where + "-" + a.Number() + "-" + shown
	a.V5 = hex.EncodeToString(sum[:])
	return a
}

// Number returns the number by which the person knows the account.
func (a Account) Number() string {
	if a.bban != "" {
		return a.bban
	}
	return a.iban
}

// IsNamed reports whether a number in account_list means the account.
func (a Account) IsNamed(number string) bool {
	number = strings.ReplaceAll(number, " ", "")
	return number != "" && (number == a.iban || number == a.bban)
}

// ID returns the id of the account in version v4 or v5.
func (a Account) ID(version string) string {
	if version == "v4" {
		return a.V4
	}
	return a.V5
}

// amount returns minor units of the ledger as the account shows them.
func (a Account) amount(minor int64) Number {
	minor *= a.scale
	if a.digits == 0 {
		return Number(strconv.FormatInt(minor, 10))
	}
	return money(minor)
}
