package fact

import (
	"time"

	"samla/internal/money"
)

// BalanceKind is the kind of a balance, named as in ISO 20022.
type BalanceKind string

// The kinds that products use. An institution may give others.
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
	At            time.Time // reference or change date, zero if unknown
}
