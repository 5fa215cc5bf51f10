// Package fact defines what an institution tells about a person's money, as plain
// data: accounts, balances and transactions. A family of institutions reads its
// answers into facts; package normalise turns facts into products.
//
// A fact repeats what was told and decides nothing. Empty members were not told.
package fact

// Facts are what one or more answers tell. Balances and histories name their
// account by its key.
type Facts struct {
	Accounts  []Account
	Balances  []Balance
	Histories []History
}

// Add appends what another answer tells.
func (f *Facts) Add(more Facts) {
	f.Accounts = append(f.Accounts, more.Accounts...)
	f.Balances = append(f.Balances, more.Balances...)
	f.Histories = append(f.Histories, more.Histories...)
}
