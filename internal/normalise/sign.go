package normalise

import (
	"strings"

	"samla/internal/fact"
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
	for _, own := range s.own {
		if sameNumber(own, number) {
			return true
		}
	}
	return false
}

// sameNumber reports whether two numbers are of the same account: an IBAN ends with the
// national number, without its leading zeros.
func sameNumber(a, b string) bool {
	const enough = 8 // digits
	a, b = compact(a), compact(b)
	if len(a) < len(b) {
		a, b = b, a
	}
	return a == b || len(b) >= enough && strings.HasSuffix(a, b)
}

// compact returns the letters and digits of a number, without leading zeros.
func compact(number string) string {
	return strings.TrimLeft(strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r == '*':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, number), "0")
}
