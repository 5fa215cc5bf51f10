package listing

import (
	"strings"

	"samla/internal/fact"
)

// Type is what an account is.
type Type int8

// The types.
const (
	unsaid Type = iota
	Checking
	Savings
	Card
	Mortgage
	Unsecured
	Loan     // of a kind that is not known: it becomes no product
	Excluded // by the configuration of the institution
)

// IsLoan reports whether the account is a loan. A loan has balances, and no transactions
// (docs/reference/products.md 7).
func (t Type) IsLoan() bool { return t == Mortgage || t == Unsecured || t == Loan }

// configured are the types of the classes that an operator has configured.
var configured = map[fact.Class]Type{
	fact.ClassChecking: Checking, fact.ClassSavings: Savings, fact.ClassCard: Card, fact.ClassNone: Excluded,
	fact.ClassMortgage: Mortgage, fact.ClassUnsecured: Unsecured,
}

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
	for _, e := range entries {
		if e.Class != fact.ClassUnsaid {
			return configured[e.Class]
		}
	}
	switch t := evidence(entries); t {
	case unsaid:
		return Checking
	case Loan:
		return loanType(entries)
	default:
		return t
	}
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
	current := currentCodes[code]
	if !current {
		switch t := inWords(e.Type); t {
		case unsaid:
		case Checking:
			current = true
		default:
			return t
		}
	}
	if t := inWords(e.Product); t != unsaid {
		return t
	}
	name := inWords(e.Name)
	if current {
		return amongCurrent(name, e.Name)
	}
	if name != unsaid {
		return name
	}
	if IsMasked(e.MaskedPAN) && e.IBAN == "" && e.BBAN == "" {
		return Card
	}
	return unsaid
}

// amongCurrent returns what the name of an account says whose code is that of a payment
// account, and whose product says nothing: only words that nobody gives to a payment
// account count. Banks take the names of accounts from persons, too.
func amongCurrent(said Type, name string) Type {
	if said == Card || said == Checking || said == Savings && strings.Contains(strings.ToLower(name), "sparkonto") {
		return said
	}
	return unsaid
}
