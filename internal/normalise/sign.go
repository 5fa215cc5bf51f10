package normalise

import (
	"slices"

	"samla/internal/fact"
	"samla/internal/ident"
	"samla/internal/money"
)

// signs decides the signs of the rows of one account (docs/reference/banks.md 6.5).
type signs struct {
	debitPositive bool
	own           []string // the numbers of the account
	// signed: the institution writes a minus where the account is the debtor. An amount
	// without a minus is then money that came back, not an amount without a sign.
	signed bool
}

func (a account) signs() signs {
	s := signs{debitPositive: a.DebitPositive}
	for _, number := range []string{a.IBAN, a.BBAN} {
		if number != "" {
			s.own = append(s.own, number)
		}
	}
	for _, h := range a.histories {
		for i := range h.Transactions {
			if t := &h.Transactions[i]; t.Direction == fact.Unsaid && t.Amount.Sign() < 0 && s.fromOwn(t) {
				s.signed = true
				return s
			}
		}
	}
	return s
}

// amount returns the amount of a row, negative for a debit. A word of the institution
// decides over the sign that it writes; they are unclear if the word is credit and the
// sign a minus.
func (s signs) amount(t *fact.Transaction) (m money.Amount, clear bool) {
	switch {
	case t.Direction == fact.Debit:
		return t.Amount.Abs().Neg(), true
	case t.Direction == fact.Credit:
		return t.Amount.Abs(), s.debitPositive || t.Amount.Sign() >= 0
	case s.debitPositive, !s.signed && t.Amount.Sign() > 0 && s.fromOwn(t):
		return t.Amount.Neg(), true
	}
	return t.Amount, true
}

// fromOwn reports whether the row names the account as its debtor, and another one or
// none as its creditor.
func (s signs) fromOwn(t *fact.Transaction) bool {
	return t.DebtorAccount != "" && s.isOwn(t.DebtorAccount) && !s.isOwn(t.CreditorAccount)
}

func (s signs) isOwn(number string) bool {
	return slices.ContainsFunc(s.own, func(own string) bool { return ident.SameAccount(own, number) })
}
