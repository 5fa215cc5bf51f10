package fact

import "samla/internal/money"

// Account is an account or a card.
type Account struct {
	// Key names the account within one collection. It is the family's own: other
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
	Closed        bool          // the institution says that it is deleted
	DebitPositive bool          // a debt is told as a positive amount
	Credit        *money.Amount // credit limit
}
