package fact

import (
	"time"

	"samla/internal/money"
)

// History is the part of an account's transactions that one answer tells. A
// history without transactions says that there are none; no history says that
// they are not known.
type History struct {
	Account       string // Key
	DebitPositive bool   // a debt is told as a positive amount
	Transactions  []Transaction
}

// Transaction is one row of an account. Its amount has the sign that the
// institution gave it (docs/reference/banks.md 6).
type Transaction struct {
	ID             string // the institution's id
	EntryReference string
	Booked         bool // false: pending
	BookingDate    time.Time
	ValueDate      time.Time
	Moment         time.Time // when the person did it, where the time of day was told
	Amount         money.Amount
	CreditorName   string
	DebtorName     string
	Text           string // remittance information, one line
}
