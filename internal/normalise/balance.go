package normalise

import (
	"samla/internal/fact"
	"samla/internal/money"
)

// severalCurrencies is the ISO 4217 code of a multi-currency account.
const severalCurrencies = "XXX"

// The kinds of balance for each member, most suitable first.
var (
	bookedKinds    = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.NonInvoiced, fact.OpeningBooked}
	availableKinds = []fact.BalanceKind{fact.InterimAvailable, fact.ForwardAvailable, fact.Expected}
)

// booked returns the booked balance, or nil if it is unknown. A debt is negative.
func (a account) booked() *money.Amount {
	booked := a.pick(bookedKinds)
	if booked != nil && a.DebitPositive {
		owed := booked.Neg()
		return &owed
	}
	return booked
}

// available returns the available balance, or nil if it is unknown.
func (a account) available() *money.Amount { return a.pick(availableKinds) }

// pick returns the first balance of the most suitable kind, in the currency of the
// account if it has a single one.
func (a account) pick(kinds []fact.BalanceKind) *money.Amount {
	for _, kind := range kinds {
		for _, b := range a.balances {
			if b.Kind == kind && (a.Currency == "" || a.Currency == severalCurrencies || b.Amount.Currency() == a.Currency) {
				return &b.Amount
			}
		}
	}
	return nil
}
