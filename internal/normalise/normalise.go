// Package normalise converts facts to products (docs/reference/products.md). It is
// pure. Each product has its own file, with the accounts that become this product and
// the members it sets.
package normalise

import (
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/product"
	"samla/internal/psu"
)

// Request is what products need beside the facts.
type Request struct {
	Company        company.Company
	Scope          consent.Scope // of the consent
	PersonalNumber psu.Number    // of the person who started the collection; empty if it is not known
	NewID          func() string // returns the ids of the products
}

// Products returns the products of the facts, in the order of the accounts. It leaves
// out what the scope of the consent does not cover, whatever the institution gave.
// The deviations are those found here: facts that fit no product, or that cannot be
// told apart.
func Products(r Request, facts fact.Facts) ([]product.Product, deviation.Counts) {
	var deviations deviation.Counts
	products := make([]product.Product, 0, len(facts.Accounts))
	for _, a := range gather(r.Scope, facts) {
		a.head = product.Head{ID: r.NewID(), Company: r.Company.ID, CompanyDisplayName: r.Company.DisplayName}
		a.person, a.lacks = r.person(), &deviations
		products = append(products, a.product())
	}
	return products, deviations
}

// account is an account with its balances and histories that the scope covers.
type account struct {
	fact.Account
	head      product.Head // without a type
	person    *product.PersonalInformation
	lacks     *deviation.Counts // what cannot be read or told apart
	balances  []fact.Balance
	histories []fact.History
}

// gather joins facts to their accounts.
func gather(scope consent.Scope, facts fact.Facts) []account {
	accounts := make([]account, len(facts.Accounts))
	at := make(map[string][]int, len(accounts)) // two accounts may have the same key
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

// product returns the product of the account: a checking account unless it is
// something else.
func (a account) product() product.Product {
	switch {
	case a.isCard():
		return a.card()
	case a.isSavings():
		return a.savings()
	}
	return a.checking()
}

// person returns the person who started the collection, or nil if nothing is known
// (docs/reference/products.md 9).
func (r Request) person() *product.PersonalInformation {
	if r.PersonalNumber == "" {
		return nil
	}
	return &product.PersonalInformation{PersonalNumber: r.PersonalNumber.Digits()}
}
