package normalise

import (
	"strings"

	"samla/internal/fact"
	"samla/internal/listing"
	"samla/internal/money"
	"samla/internal/product"
)

// loanKinds are the kinds of balance that say a debt, most suitable first.
var loanKinds = []fact.BalanceKind{fact.InterimBooked, fact.ClosingBooked, fact.OpeningBooked, fact.PreviouslyBooked}

// loan returns the loan (docs/reference/products.md 7), or nil if its debt is not known.
// What was granted or paid back, the rate and the next payment are not in the lists of
// accounts, and are not guessed.
func (a account) loan(t product.Type) *product.Loan {
	debt := a.debt()
	if debt == nil {
		return nil
	}
	l := &product.Loan{Head: a.head, LoanID: listing.LoanNumber(a.Account), LoanDetails: &product.LoanDetails{Balance: debt},
		PersonalInformation: a.person}
	l.Type = t
	if a.OwnerName != "" && !strings.Contains(a.OwnerName, ",") { // one name, and not several
		l.Owners = []product.LoanOwner{{Name: a.OwnerName}}
	}
	return l
}

// debt returns the booked balance without its sign: some banks count the debt of a loan
// negative, as on an account, and others positive. A balance that words say to be a
// credit is no debt, and one with a credit limit in it says nothing of the debt.
func (a account) debt() *money.Amount {
	for _, balances := range [][]fact.Balance{a.balances, a.others} {
		var usable []fact.Balance
		for _, b := range a.inOwnCurrency(balances) {
			if b.Limit != fact.LimitIncluded {
				usable = append(usable, b)
			}
		}
		if best := pick(usable, loanKinds, fact.LimitIncluded); best != nil {
			if best.Signed && best.Amount.Sign() > 0 {
				return nil
			}
			debt := best.Amount.Abs()
			return &debt
		}
	}
	return nil
}
