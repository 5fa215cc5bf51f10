package fact

import (
	"time"

	"samla/internal/money"
)

// BalanceKind is the kind of a balance, named as in the Berlin Group's standard.
type BalanceKind string

// The kinds that products use. An institution may give others.
const (
	ClosingBooked    BalanceKind = "closingBooked"
	InterimBooked    BalanceKind = "interimBooked"
	OpeningBooked    BalanceKind = "openingBooked"
	PreviouslyBooked BalanceKind = "previouslyClosedBooked"
	Expected         BalanceKind = "expected"
	InterimAvailable BalanceKind = "interimAvailable"
	Authorised       BalanceKind = "authorised" // what can be spent, with the agreed credit
	ForwardAvailable BalanceKind = "forwardAvailable"
	ClosingAvailable BalanceKind = "closingAvailable"
	OpeningAvailable BalanceKind = "openingAvailable"
	NonInvoiced      BalanceKind = "nonInvoiced"
)

// LimitPart is whether an amount contains the credit limit.
type LimitPart int8

// The parts.
const (
	LimitUnsaid LimitPart = iota
	LimitIncluded
	LimitExcluded
)

// Balance is one balance of an account.
type Balance struct {
	Account       string // Key
	Kind          BalanceKind
	Amount        money.Amount // without a currency if the institution gave none
	Limit         LimitPart
	Credit        *money.Amount // the credit limit that Limit is about, positive; nil: the institution does not tell it here
	Signed        bool          // words say the sign of the amount
	DebitPositive bool          // amounts of debts are positive
	Day           time.Time     // of the balance, zero if unknown
	At            time.Time     // when it changed last, zero if unknown
	Ahead         bool          // of a day after the one on which the institution gave it
}
