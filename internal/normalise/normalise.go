// Package normalise converts facts to products (docs/reference/products.md). It is
// pure. Package listing has decided what the accounts are; here the facts come to
// their accounts, and each account becomes a product.
package normalise

import (
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/listing"
	"samla/internal/product"
	"samla/internal/psu"
)

// Version grows whenever the same facts become other products.
const Version = 1

// Request is what products need beside the facts.
type Request struct {
	Company        company.Company
	Accounts       []listing.Account
	Scope          consent.Scope // of the consent
	Filter         []string      // ids of the accounts to read; nil for every account
	PersonalNumber psu.Number    // of the person who started the collection; empty if it is not known
	NewID          func() string // returns the ids of the products
	// Each, unless nil, is called for each product, in their order, with the account that it
	// was made of, or nil if the institution gave it as such, and what could not be read of it.
	Each func(p product.Product, of *listing.Account, found deviation.Counts)
}

// Products returns the products of the accounts, in their order, and after them those
// that the institution gives as products. An account of several currencies has a product
// for each, but a loan has one currency. It leaves out what the scope of the consent does
// not cover, whatever the institution gave. The deviations are those found here: facts
// that cannot be read or told apart.
func Products(r Request, facts fact.Facts) ([]product.Product, deviation.Counts) {
	var deviations deviation.Counts
	products := make([]product.Product, 0, len(r.Accounts))
	known := indexOf(r.Scope, facts)
	for i := range r.Accounts {
		listed := &r.Accounts[i]
		parts := known.parts(listed)
		for _, a := range parts {
			id := listed.ID(a.Currency)
			if !listed.Wants(id) {
				continue
			}
			a.head = product.Head{ID: r.NewID(), Company: r.Company.ID, CompanyDisplayName: r.Company.DisplayName}
			var found deviation.Counts
			a.person, a.lacks, a.id = r.person(), &found, id
			if !listed.Type.IsLoan() {
				products = append(products, a.product(types[listed.Type]))
				r.made(products, listed, found)
			} else if loan := a.loan(types[listed.Type]); loan != nil && len(parts) == 1 {
				products = append(products, loan)
				r.made(products, listed, found)
			} else {
				deviations.Add(deviation.OtherProduct, 1)
			}
			deviations.Merge(found)
		}
	}
	for _, p := range r.given(facts.Products, &deviations) {
		products = append(products, p)
		r.made(products, nil, nil)
	}
	return products, deviations
}

// made tells of the last product.
func (r Request) made(products []product.Product, of *listing.Account, found deviation.Counts) {
	if r.Each != nil {
		r.Each(products[len(products)-1], of, found)
	}
}

// types are the products that accounts become.
var types = map[listing.Type]product.Type{
	listing.Checking: product.Psd2CheckingAccount, listing.Savings: product.Psd2SavingsAccount, listing.Card: product.Psd2CreditCard,
	listing.Mortgage: product.MortgageLoan, listing.Unsecured: product.UnsecuredLoan,
}

// account is an account in one currency, with its balances and histories that the
// scope covers.
type account struct {
	fact.Account              // what all of its entries say
	id           string       // of ours
	head         product.Head // without a type
	person       *product.PersonalInformation
	lacks        *deviation.Counts // what cannot be read or told apart
	listCard     bool              // the best list is that of cards
	balances     []fact.Balance    // of the best list
	others       []fact.Balance    // of the other list, where an institution lists a card twice
	histories    []fact.History
}

// person returns the person who started the collection, or nil if nothing is known
// (docs/reference/products.md 9).
func (r Request) person() *product.PersonalInformation {
	if r.PersonalNumber == "" {
		return nil
	}
	return &product.PersonalInformation{PersonalNumber: r.PersonalNumber.Digits()}
}
