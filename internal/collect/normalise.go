package collect

import (
	"cmp"
	"strings"

	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/product"
)

// normalise turns what a bank told into products (docs/reference/products.md 4, docs/reference/banks.md 5).
// What the consent does not cover is not written, whatever the bank sent.
func normalise(about company.Company, scope consent.Scope, accounts []account, newID func() string) []product.Psd2Account {
	products := make([]product.Psd2Account, 0, len(accounts))
	for _, a := range accounts {
		p := product.Psd2Account{
			Head:              product.Head{ID: newID(), Type: typeOf(a.Account), Company: about.ID, CompanyDisplayName: about.DisplayName},
			AccountID:         cmp.Or(a.ResourceID, a.IBAN, a.BBAN, a.MaskedPAN),
			AccountHolderName: a.OwnerName,
			AccountName:       cmp.Or(a.DisplayName, a.Name, a.Product),
			AccountNumber:     cmp.Or(a.BBAN, a.MaskedPAN),
			IBAN:              a.IBAN, BIC: a.BIC, Currency: a.Currency,
		}
		if scope.Balances {
			p.BookedBalance, p.AvailableBalance = balancesOf(a.Account, p.Type == product.Psd2CreditCard)
		}
		if a.covered && scope.Transactions {
			p.Transactions = transactionsOf(p.AccountID, a)
		}
		products = append(products, p)
	}
	return products
}

// severalCurrencies is the ISO 4217 code that a multi-currency account carries.
const severalCurrencies = "XXX"

// accountTypes maps ISO 20022 ExternalCashAccountType1Code (docs/reference/banks.md 5).
var accountTypes = map[string]product.Type{
	"SVGS": product.Psd2SavingsAccount, "LLSV": product.Psd2SavingsAccount,
	"MOMA": product.Psd2SavingsAccount, "ONDP": product.Psd2SavingsAccount,
	"CACC": product.Psd2CheckingAccount, "SLRY": product.Psd2CheckingAccount, "TRAN": product.Psd2CheckingAccount,
	"CASH": product.Psd2CheckingAccount, "ODFT": product.Psd2CheckingAccount,
	"CARD": product.Psd2CreditCard,
}

// savingsWords are how Swedish and English product names tell savings; only the
// bank's own names are looked at, for a person can rename an account.
var savingsWords = []string{"spar", "saving", "buffert"}

func typeOf(a institution.Account) product.Type {
	if a.Card {
		return product.Psd2CreditCard
	}
	if t, known := accountTypes[strings.ToUpper(a.Type)]; known {
		return t
	}
	if a.Type == "" {
		names := strings.ToLower(a.Product + " " + a.Name)
		for _, word := range savingsWords {
			if strings.Contains(names, word) {
				return product.Psd2SavingsAccount
			}
		}
	}
	return product.Psd2CheckingAccount
}

// The balance kinds that tell each figure, best first.
var (
	bookedKinds    = []institution.BalanceKind{institution.InterimBooked, institution.ClosingBooked, institution.NonInvoiced, institution.OpeningBooked}
	availableKinds = []institution.BalanceKind{institution.InterimAvailable, institution.ForwardAvailable, institution.Expected}
)

// balancesOf picks the booked and the available balance. A card's debt is
// negative, however the bank counts; what a card can still spend follows from
// its limit where the bank does not tell it.
func balancesOf(a institution.Account, card bool) (booked, available *money.Amount) {
	booked, available = pick(a, bookedKinds), pick(a, availableKinds)
	if booked != nil && a.DebitPositive {
		owed := booked.Neg()
		booked = &owed
	}
	if card && available == nil && booked != nil && a.Credit != nil {
		if left, err := a.Credit.Add(*booked); err == nil {
			available = &left
		}
	}
	return booked, available
}

// pick finds the first balance of the best kind, in the account's own currency
// where it has one.
func pick(a institution.Account, kinds []institution.BalanceKind) *money.Amount {
	for _, kind := range kinds {
		for i := range a.Balances {
			b := &a.Balances[i]
			if b.Kind == kind && (a.Currency == "" || a.Currency == severalCurrencies || b.Amount.Currency() == a.Currency) {
				return &b.Amount
			}
		}
	}
	return nil
}
