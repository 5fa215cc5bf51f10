package listing

import (
	"strings"

	"samla/internal/fact"
)

// Type is what an account is.
type Type int8

// The types. A loan becomes no product: the products of a PSD2 consent have no place
// for one (docs/reference/products.md 4).
const (
	unsaid Type = iota
	Checking
	Savings
	Card
	Loan
)

// codes are the types of ISO 20022 that decide alone (docs/reference/banks.md 5).
// CACC and its kin are not among them: banks give them to all of their accounts.
var codes = map[string]Type{
	"SVGS": Savings, "LLSV": Savings, "MOMA": Savings, "ONDP": Savings,
	"SLRY": Checking,
	"CARD": Card,
	"LOAN": Loan, "MGLD": Loan, "MORT": Loan,
}

// currentCodes are the types of payment accounts that banks also give to others.
var currentCodes = map[string]bool{"CACC": true, "TRAN": true, "CASH": true, "ODFT": true}

// typeOf returns the type of an account. This is the one place that decides it: a
// checking account unless something says more. The person's own name for the account
// says nothing.
func typeOf(entries []fact.Account) Type {
	if t := evidence(entries); t != unsaid {
		return t
	}
	return Checking
}

// evidence returns what the lists say of the type, or unsaid. A card that is also in
// the list of accounts is what that list says, unless it says nothing, or a loan.
func evidence(entries []fact.Account) Type {
	said, card := unsaid, false
	for _, e := range entries {
		switch {
		case e.Card:
			card = true
		case said == unsaid:
			said = saidBy(e)
		}
	}
	if card && (said == unsaid || said == Loan) {
		return Card
	}
	return said
}

// saidBy returns what an entry of the list of accounts says of its type: by its code,
// by the institution's product, by its name, by its numbers.
func saidBy(e fact.Account) Type {
	code := strings.ToUpper(strings.TrimSpace(e.Type))
	if t, decides := codes[code]; decides {
		return t
	}
	ownWord, product, name := inWords(e.Type), inWords(e.Product), inWords(e.Name)
	if currentCodes[code] || ownWord == Checking {
		return amongCurrent(product, name, e)
	}
	for _, t := range []Type{ownWord, product, name} {
		if t != unsaid {
			return t
		}
	}
	if e.MaskedPAN != "" && e.IBAN == "" && e.BBAN == "" {
		return Card
	}
	return unsaid
}

// amongCurrent returns what an entry says whose code is that of a payment account. The
// product can say more. The name can do so only with words that nobody gives to a
// payment account: banks take the names of accounts from persons, too.
func amongCurrent(product, name Type, e fact.Account) Type {
	switch {
	case product != unsaid:
		return product
	case name == Card, name == Checking, name == Savings && strings.Contains(strings.ToLower(e.Name), "sparkonto"):
		return name
	}
	return unsaid
}
