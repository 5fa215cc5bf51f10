// Package fact defines the data that an institution gives about a person's accounts,
// independent of its family: accounts, balances and transactions. A family decodes
// its answers into facts, and package normalise converts facts to products.
//
// A fact has the values of the institution; nothing is derived. An empty member is
// unknown.
package fact

import "samla/internal/product"

// Facts are the content of one or more answers. Balances and histories refer to their
// account by its key.
type Facts struct {
	Accounts  []Account
	Balances  []Balance
	Histories []History
	Products  []product.Product // that the institution gives as such; they are not derived from the others
}

// Add appends the facts of another answer.
func (f *Facts) Add(more Facts) {
	f.Accounts = append(f.Accounts, more.Accounts...)
	f.Balances = append(f.Balances, more.Balances...)
	f.Histories = append(f.Histories, more.Histories...)
	f.Products = append(f.Products, more.Products...)
}
