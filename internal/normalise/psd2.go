package normalise

import (
	"cmp"

	"samla/internal/product"
)

// psd2 returns the members that all products of a PSD2 consent have
// (docs/reference/products.md 4).
func (a account) psd2(t product.Type) *product.Psd2Account {
	p := &product.Psd2Account{
		Head:              a.head,
		AccountID:         cmp.Or(a.ID, a.IBAN, a.BBAN, a.MaskedPAN),
		AccountHolderName: a.OwnerName,
		AccountName:       cmp.Or(a.DisplayName, a.Name, a.Product),
		AccountNumber:     cmp.Or(a.BBAN, a.MaskedPAN),
		IBAN:              a.IBAN, BIC: a.BIC, Currency: a.Currency,
		BookedBalance: a.booked(), AvailableBalance: a.available(),
		PersonalInformation: a.person,
	}
	p.Type = t
	p.Transactions = a.transactions(p.AccountID)
	return p
}
