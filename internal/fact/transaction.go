package fact

import (
	"time"

	"samla/internal/money"
)

// History is the transactions of an account in one answer: one page. A history without
// transactions means that there are none; without a history they are unknown. The
// histories of an account are in the order in which its pages follow each other.
type History struct {
	Account       string    // Key
	At            time.Time // when the institution gave it
	DebitPositive bool      // amounts of debts are positive
	Transactions  []Transaction
}

// Direction is whether a transaction takes money out of the account or brings it in, as
// the institution says in words.
type Direction int8

// The directions.
const (
	Unsaid Direction = iota // the sign of the amount says it
	Debit                   // out
	Credit                  // in
)

// Transaction is one row of an account. The amount has the sign of the institution
// (docs/reference/banks.md 6), and no currency if the institution gave none.
type Transaction struct {
	ID              string // the institution's id: a hint, not a key (docs/reference/banks.md 6.4)
	EntryReference  string
	EndToEndID      string
	Booked          bool // false: pending
	BookingDate     time.Time
	ValueDate       time.Time
	TransactionDate time.Time // when the person made it
	Moment          time.Time // the same, if the time of day is known
	Amount          money.Amount
	Direction       Direction
	CreditorName    string
	CreditorAccount string // IBAN, BBAN or masked number
	DebtorName      string
	DebtorAccount   string
	Text            string        // remittance information, one line
	BalanceAfter    *money.Amount // the balance after this row; nil: unknown
}

// Day returns the day of the transaction: the booking date, or else the value date, or
// else the day when the person made it. It is zero if none is known.
func (t *Transaction) Day() time.Time {
	for _, day := range []time.Time{t.BookingDate, t.ValueDate, t.TransactionDate} {
		if !day.IsZero() {
			return day
		}
	}
	return time.Time{}
}
