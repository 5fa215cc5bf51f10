package normalise

import (
	"strings"

	"samla/internal/product"
)

// isCard reports whether the account was listed as a card or has the ISO 20022 type
// of a card (docs/reference/banks.md 5).
func (a account) isCard() bool { return a.Card || strings.EqualFold(a.Type, "CARD") }

// card returns the product of a card. An unknown available balance is computed from
// the credit limit.
func (a account) card() *product.Psd2Account {
	p := a.psd2(product.Psd2CreditCard)
	if p.AvailableBalance == nil && p.BookedBalance != nil && a.Credit != nil {
		if left, err := a.Credit.Add(*p.BookedBalance); err == nil {
			p.AvailableBalance = &left
		}
	}
	return p
}
