package fact

import "samla/internal/money"

// Account is an account or a card.
type Account struct {
	// Key identifies the account within one collection. The family defines it; other
	// packages only compare it.
	Key           string
	ID            string // the institution's id
	Card          bool   // listed as a card
	IBAN          string
	BBAN          string
	MaskedPAN     string
	BIC           string
	Currency      string // ISO 4217; XXX for an account of several currencies
	Name          string // the institution's name for it
	DisplayName   string // the person's name for it
	Product       string
	Type          string // ISO 20022 ExternalCashAccountType1Code
	OwnerName     string
	Closed        bool          // the account is deleted
	DebitPositive bool          // amounts of debts are positive
	Credit        *money.Amount // credit limit
}
