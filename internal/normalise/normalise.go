// Package normalise turns facts into products (docs/reference/products.md). It is
// pure. Each product has a file of its own, which says what becomes that product
// and how.
package normalise

import (
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/product"
)

// Products returns the products that the facts come to, in the order in which
// the accounts were told. What the scope of the consent does not cover is left
// out, whatever the institution told. newID makes the products' ids.
func Products(about company.Company, scope consent.Scope, facts fact.Facts, newID func() string) []product.Product {
	products := make([]product.Product, 0, len(facts.Accounts))
	for _, a := range gather(scope, facts) {
		a.head = product.Head{ID: newID(), Company: about.ID, CompanyDisplayName: about.DisplayName}
		products = append(products, a.product())
	}
	return products
}

// account is an account with everything that is known of it and may be written.
type account struct {
	fact.Account
	head      product.Head // without a type
	balances  []fact.Balance
	histories []fact.History
}

// gather puts facts to the accounts that they are about.
func gather(scope consent.Scope, facts fact.Facts) []account {
	accounts := make([]account, len(facts.Accounts))
	at := make(map[string][]int, len(accounts)) // a family may tell two accounts under one key
	for i, a := range facts.Accounts {
		accounts[i].Account = a
		at[a.Key] = append(at[a.Key], i)
	}
	for _, h := range facts.Histories {
		for _, i := range at[h.Account] {
			accounts[i].DebitPositive = accounts[i].DebitPositive || h.DebitPositive
			if scope.Transactions {
				accounts[i].histories = append(accounts[i].histories, h)
			}
		}
	}
	if scope.Balances {
		for _, b := range facts.Balances {
			for _, i := range at[b.Account] {
				accounts[i].balances = append(accounts[i].balances, b)
			}
		}
	}
	return accounts
}

// product tries what an account can be; a checking account is what remains.
func (a account) product() product.Product {
	switch {
	case a.isCard():
		return a.card()
	case a.isSavings():
		return a.savings()
	}
	return a.checking()
}
