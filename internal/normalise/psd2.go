package normalise

import (
	"cmp"

	"samla/internal/deviation"
	"samla/internal/product"
)

// product returns the product of the account (docs/reference/products.md 4).
func (a account) product(t product.Type) *product.Psd2Account {
	p := &product.Psd2Account{
		Head:              a.head,
		AccountID:         a.id,
		AccountHolderName: a.OwnerName,
		AccountName:       cmp.Or(a.DisplayName, a.Name, a.Product),
		AccountNumber:     cmp.Or(a.BBAN, a.MaskedPAN, a.MSISDN, a.Other),
		IBAN:              a.IBAN, BIC: a.BIC, Currency: a.Currency,
		PersonalInformation: a.person,
	}
	p.Type = t
	p.BookedBalance, p.AvailableBalance = a.bothBalances(t == product.Psd2CreditCard)
	if p.BookedBalance == nil && p.AvailableBalance == nil && len(a.balances)+len(a.others) > 0 {
		a.lacks.Add(deviation.UnreadableBalance, 1) // of kinds or currencies that say neither
	}
	p.Transactions = a.transactions(a.id)
	return p
}
