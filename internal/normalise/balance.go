package normalise

import (
	"slices"
	"time"

	"samla/internal/fact"
	"samla/internal/money"
)

// The kinds of balance for each member, most suitable first. On a card, what is
// expected is the debt with the purchases that are not booked yet; on an account it is
// what will be left.
var (
	bookedKinds     = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.OpeningBooked, fact.PreviouslyBooked}
	cardBookedKinds = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.NonInvoiced, fact.OpeningBooked, fact.PreviouslyBooked, fact.Expected}
	availableKinds  = []fact.BalanceKind{fact.InterimAvailable, fact.Authorised, fact.ForwardAvailable, fact.ClosingAvailable, fact.OpeningAvailable, fact.Expected}
	// datedKinds are those of which the balance of a later day replaces another one.
	datedKinds = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.OpeningBooked}
)

// bothBalances returns the booked and the available balance. Unknown ones stay nil: unknown is not
// zero (docs/reference/products.md 1).
func (a account) bothBalances(card bool) (booked, available *money.Amount) {
	for _, balances := range [][]fact.Balance{a.balances, a.others} {
		of := a.inOwnCurrency(balances)
		if booked == nil {
			booked = a.booked(of, card)
		}
		if available == nil {
			available = a.available(of, card)
		}
	}
	if !card || a.Credit == nil {
		return booked, available
	}
	switch {
	case booked == nil:
	case available == nil:
		if left, err := a.Credit.Add(*booked); err == nil {
			available = &left
		}
	case booked.Sign() > 0:
		// What is left of the limit says that the debt was counted positive.
		if sum, err := available.Add(*booked); err == nil && sum.Equal(*a.Credit) {
			debt := booked.Neg()
			booked = &debt
		}
	}
	return booked, available
}

// inOwnCurrency returns the balances in the currency of the account. If there are none,
// it returns those of the only other currency.
func (a account) inOwnCurrency(balances []fact.Balance) []fact.Balance {
	var own, foreign []fact.Balance
	several := false
	for _, b := range balances {
		if a.Currency == "" || b.Amount.Currency() == a.Currency {
			own = append(own, b)
			continue
		}
		several = several || len(foreign) > 0 && foreign[0].Amount.Currency() != b.Amount.Currency()
		foreign = append(foreign, b)
	}
	if len(own) > 0 || several {
		return own
	}
	return foreign
}

// booked returns the booked balance, without the credit limit, or nil if it is unknown.
// A debt is negative.
func (a account) booked(balances []fact.Balance, card bool) *money.Amount {
	kinds := bookedKinds
	if card {
		kinds = cardBookedKinds
	}
	usable := slices.DeleteFunc(slices.Clone(balances), func(b fact.Balance) bool {
		return card && b.Limit == fact.LimitIncluded && a.limitOf(&b) == nil
	})
	best := pick(usable, kinds, fact.LimitIncluded)
	if best == nil {
		return nil
	}
	amount := best.Amount
	if limit := a.limitOf(best); best.Limit == fact.LimitIncluded && limit != nil {
		if without, err := amount.Sub(*limit); err == nil {
			return &without
		}
	}
	if best.DebitPositive {
		amount = amount.Neg()
	}
	return &amount
}

// available returns what can be spent, with the credit limit, or nil if it is unknown.
func (a account) available(balances []fact.Balance, card bool) *money.Amount {
	kinds := availableKinds
	if card {
		kinds = kinds[:len(kinds)-1] // what is expected on a card is debt
	}
	best := pick(balances, kinds, fact.LimitExcluded)
	if best == nil {
		return nil
	}
	if limit := a.limitOf(best); best.Limit == fact.LimitExcluded && limit != nil && (card || best.Credit != nil) {
		if with, err := best.Amount.Add(*limit); err == nil {
			return &with
		}
	}
	return &best.Amount
}

// limitOf returns the credit limit that a balance contains or not: the one that stands
// beside it, or else that of the account; nil if neither is known.
func (a account) limitOf(b *fact.Balance) *money.Amount {
	if b.Credit != nil {
		return b.Credit
	}
	return a.Credit
}

// pick returns the balance that counts: of the most suitable kind the newest, if
// possible without the unwanted relation to the credit limit. A balance of another
// booked kind counts more if it is of a later day. One of a day to come says what will
// be: it counts only where no other does.
func pick(balances []fact.Balance, kinds []fact.BalanceKind, unwanted fact.LimitPart) *fact.Balance {
	var best *fact.Balance
	for _, kind := range kinds {
		var newest *fact.Balance
		for i := range balances {
			if b := &balances[i]; b.Kind == kind && (newest == nil || better(b, newest, unwanted)) {
				newest = b
			}
		}
		switch {
		case newest == nil:
		case best == nil:
			best = newest
		case best.Ahead && !newest.Ahead && slices.Contains(bookedKinds, kind):
			best = newest
		case newest.Ahead:
		case slices.Contains(datedKinds, kind) && slices.Contains(datedKinds, best.Kind) && !dayOf(best).IsZero() && dayOf(newest).After(dayOf(best)):
			best = newest
		}
	}
	return best
}

// better reports whether a balance counts more than one of the same kind before it.
func better(b, before *fact.Balance, unwanted fact.LimitPart) bool {
	if (b.Limit == unwanted) != (before.Limit == unwanted) {
		return before.Limit == unwanted
	}
	if b.Ahead != before.Ahead {
		return before.Ahead
	}
	if day, other := dayOf(b), dayOf(before); !day.Equal(other) {
		return day.After(other)
	}
	return b.At.After(before.At)
}

// dayOf returns the day of a balance, or else that of its last change.
func dayOf(b *fact.Balance) time.Time {
	if !b.Day.IsZero() {
		return b.Day
	}
	return b.At.Truncate(24 * time.Hour)
}
