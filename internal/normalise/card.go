package normalise

import (
	"strings"

	"samla/internal/product"
)

// isCard goes by the list that told the account, then by its ISO 20022 type
// (docs/reference/banks.md 5).
func (a account) isCard() bool { return a.Card || strings.EqualFold(a.Type, "CARD") }

// card is a card. What can still be spent follows from the limit where the
// institution does not tell it.
func (a account) card() *product.Psd2Account {
	p := a.psd2(product.Psd2CreditCard)
	if p.AvailableBalance == nil && p.BookedBalance != nil && a.Credit != nil {
		if left, err := a.Credit.Add(*p.BookedBalance); err == nil {
			p.AvailableBalance = &left
		}
	}
	return p
}
