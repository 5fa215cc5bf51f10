// Package listing decides what the accounts are that an institution lists: which
// entries of its lists are one account, the id of the account, which product it
// becomes, and whether the consent and the filter of a collection name it. It is pure.
package listing

import (
	"samla/internal/company"
	"samla/internal/deviation"
	"samla/internal/fact"
)

// Account is one account of the person with all of its entries.
type Account struct {
	// Entries has those of the list of cards first, then those of the list of
	// accounts, each in the order of the list.
	Entries []fact.Account
	Type    Type
	Home    string // the currency that the account has unless another one is told

	base  string   // the id without a currency
	parts []string // ids of the parts that the filter names; nil: all
}

// Wants reports whether the part of the account with this id is to be read: the
// account in one of its currencies.
func (a *Account) Wants(id string) bool {
	if a.parts == nil {
		return true
	}
	for _, part := range a.parts {
		if part == id {
			return true
		}
	}
	return false
}

// Search is what is looked for in the lists of an institution.
type Search struct {
	Owner   string // whose ids the accounts get: of a user, or of a client without users
	Company company.Company
	// Granted are the account ids of the consent, nil for every account. Asked
	// reports whether the client has asked for accounts by name: if it has not, the
	// consent may name them in a way that the lists do not repeat.
	Granted []string
	Asked   bool
	Filter  []string // ids of the accounts to read, nil for every account
}

// Found is the result of a search.
type Found struct {
	Accounts   []Account // to be read, in the order of the lists
	Closed     []Account // named too, but closed
	Deviations deviation.Counts
}

// Find returns the accounts that are to be read: those that are open, that are named,
// and that become a product. The entries are in the order of the lists.
func (s Search) Find(entries []fact.Account) Found {
	groups, indistinct := group(entries)
	accounts := make([]Account, len(groups))
	for i, g := range groups {
		accounts[i] = s.account(g)
	}
	separateIDs(s, accounts)
	var found Found
	found.Deviations.Add(deviation.IndistinctAccounts, indistinct)
	named := s.granted(accounts, &found.Deviations)
	for i := range accounts {
		a := &accounts[i]
		if !named[i] || !a.selectBy(s.Filter) {
			continue
		}
		if a.closed() {
			found.Closed = append(found.Closed, *a)
			continue
		}
		if a.Type == Excluded {
			continue
		}
		if a.fitsNoProduct() {
			found.Deviations.Add(deviation.OtherProduct, 1)
			continue
		}
		found.Accounts = append(found.Accounts, *a)
	}
	return found
}

func (s Search) account(entries []fact.Account) Account {
	a := Account{Entries: entries, Home: homeCurrency(entries, s.Company.Market()), Type: typeOf(entries)}
	a.base = s.id(identity(entries, false))
	return a
}

func (s Search) id(identity []string) string {
	return baseID(append([]string{s.Owner, s.Company.ID}, identity...)...)
}

// separateIDs gives accounts that have one id ids of their own, by the name or else by
// the institution's id: two cards of which the same digits are shown.
func separateIDs(s Search, accounts []Account) {
	for _, further := range []func(a Account) []string{
		func(a Account) []string { return identity(a.Entries, true) },
		func(a Account) []string { return append(identity(a.Entries, true), a.Entries[0].Key) },
	} {
		count := make(map[string]int, len(accounts))
		for _, a := range accounts {
			count[a.base]++
		}
		for i, a := range accounts {
			if count[a.base] > 1 {
				accounts[i].base = s.id(further(a))
			}
		}
	}
}

// closed reports whether the account is closed: an entry says so, and none says that
// it is open.
func (a *Account) closed() bool {
	closed := false
	for _, e := range a.Entries {
		switch e.Status {
		case fact.StatusOpen:
			return false
		case fact.StatusClosed:
			closed = true
		}
	}
	return closed
}
