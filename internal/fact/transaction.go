package fact

import (
	"time"

	"samla/internal/money"
)

// History is the transactions of an account in one answer. A history without
// transactions means that there are none; without a history they are unknown.
type History struct {
	Account       string // Key
	DebitPositive bool   // amounts of debts are positive
	Transactions  []Transaction
}

// Transaction is one row of an account. The amount has the sign of the institution
// (docs/reference/banks.md 6).
type Transaction struct {
	ID             string // the institution's id
	EntryReference string
	Booked         bool // false: pending
	BookingDate    time.Time
	ValueDate      time.Time
	Moment         time.Time // when the person made it, if the time of day is known
	Amount         money.Amount
	CreditorName   string
	DebtorName     string
	Text           string // remittance information, one line
}
