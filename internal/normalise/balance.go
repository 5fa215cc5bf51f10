package normalise

import (
	"samla/internal/fact"
	"samla/internal/money"
)

// severalCurrencies is the ISO 4217 code that a multi-currency account carries.
const severalCurrencies = "XXX"

// The kinds of balance that tell each figure, best first.
var (
	bookedKinds    = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.NonInvoiced, fact.OpeningBooked}
	availableKinds = []fact.BalanceKind{fact.InterimAvailable, fact.ForwardAvailable, fact.Expected}
)

// booked is the booked balance, nil when it is not known. A debt is negative,
// however the institution counts.
func (a account) booked() *money.Amount {
	booked := a.pick(bookedKinds)
	if booked != nil && a.DebitPositive {
		owed := booked.Neg()
		return &owed
	}
	return booked
}

func (a account) available() *money.Amount { return a.pick(availableKinds) }

// pick finds the first balance of the best kind, in the account's own currency
// where it has one.
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
