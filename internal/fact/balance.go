package fact

import (
	"time"

	"samla/internal/money"
)

// BalanceKind says what a balance counts.
type BalanceKind string

// The kinds that products are made of, named as in ISO 20022. An institution may
// tell others.
const (
	ClosingBooked    BalanceKind = "closingBooked"
	InterimBooked    BalanceKind = "interimBooked"
	OpeningBooked    BalanceKind = "openingBooked"
	Expected         BalanceKind = "expected"
	InterimAvailable BalanceKind = "interimAvailable"
	ForwardAvailable BalanceKind = "forwardAvailable"
	NonInvoiced      BalanceKind = "nonInvoiced"
)

// Balance is one balance of an account.
type Balance struct {
	Account       string // Key
	Kind          BalanceKind
	Amount        money.Amount
	LimitIncluded bool      // the amount contains the credit limit
	At            time.Time // reference or change date, zero when not told
}
