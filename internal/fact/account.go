package fact

import "samla/internal/money"

// Account is an entry of a list of accounts or cards. An institution may list one
// account several times; package listing decides which entries are one account.
type Account struct {
	// Key identifies the entry's account within one collection. The family defines it;
	// other packages only compare it.
	Key           string
	ID            string // the institution's id; it may change with the consent
	Card          bool   // listed as a card
	IBAN          string
	BBAN          string
	MaskedPAN     string // a number with hidden digits, of a card or an account
	MSISDN        string // phone number of a wallet
	Other         string // an identification of another scheme
	BIC           string
	Currency      string // ISO 4217; XXX for an account of several currencies; empty if unknown
	Name          string // the institution's name for it
	DisplayName   string // the person's name for it
	Product       string
	Type          string // ISO 20022 ExternalCashAccountType1Code, or the institution's own word
	OwnerName     string
	Class         Class // what the operator has configured that it is
	Status        AccountStatus
	DebitPositive bool          // amounts of debts are positive
	Credit        *money.Amount // credit limit
}

// Class is what an account is by the configuration of its institution.
type Class int8

// The classes. An account of ClassNone is not read.
const (
	ClassUnsaid Class = iota
	ClassChecking
	ClassSavings
	ClassCard
	ClassNone
	ClassMortgage
	ClassUnsecured // a loan without security
)

// AccountStatus is whether an account exists. A blocked account does.
type AccountStatus int8

// The statuses.
const (
	StatusUnsaid AccountStatus = iota
	StatusOpen
	StatusClosed
)

// SeveralCurrencies is the ISO 4217 code of a multi-currency account.
const SeveralCurrencies = "XXX"
