// Package account owns lasting accounts: each account of a person once, across
// collections, consents and institutions (docs/reference/api.md 11). It decides which
// accounts of collections are one lasting account, on which evidence, and keeps doubtful
// ones apart. It is pure. Package accounts applies it to collections, package store
// stores the accounts.
package account

import (
	"cmp"
	"slices"
	"time"

	"samla/internal/consent"
	"samla/internal/money"
	"samla/internal/product"
)

// The limits of the accounts of one user. What is beyond them is not kept.
const (
	MaxAccounts = 500 // of a user
	MaxLinks    = 64  // of a user's account
	MaxThrough  = 32  // consents of a link; the oldest are left out
	maxForms    = 8   // former names and numbers of a link
)

// Account is a lasting account of a user: what was seen of it, wherever it was seen.
type Account struct {
	ID        string    `json:"-"` // UUID
	CreatedAt time.Time `json:"-"`
	Links     []Link    `json:"links"` // at least one, oldest first
	// Apart has the ids of links of other accounts that a client has split off: these are
	// never linked to this account again by themselves.
	Apart []string `json:"apart,omitempty"`
	// Merged has the ids of accounts that a client has merged into this one.
	Merged []string `json:"merged,omitempty"`
	// Generation is that of the feed of transactions: a follower of another one starts
	// again. It is 1 or more in an account that is stored.
	Generation int64 `json:"generation,omitempty"`
}

// Link is one account of an institution as it was seen there: in its lists under one
// consent after another.
type Link struct {
	ID string `json:"id"` // UUID
	// Origin is the id of the account that the link began. An account gets its old id back
	// when a merge is undone.
	Origin  string `json:"origin"`
	Company string `json:"company"`
	Name    string `json:"companyName,omitempty"` // of the company
	Shown   Shown  `json:"shown"`
	Traits  Traits `json:"traits"` // by which it is recognised

	First      time.Time `json:"first"` // seen
	Last       time.Time `json:"last"`
	Collection string    `json:"collection"` // the one that saw it last
	// Missing is when a list that was read wholly did not have it any more; ClosedAt, when
	// the institution said that it is closed. Zero: neither.
	Missing  time.Time `json:"missing,omitzero"`
	ClosedAt time.Time `json:"closed,omitzero"`

	Through []Through `json:"through,omitempty"` // oldest first
	// Evidence is why the link belongs to the account. The link that began an account has
	// none.
	Evidence *Evidence `json:"evidence,omitempty"`
}

// Shown is what a client sees of a link, as the newest collection has it.
type Shown struct {
	Type     product.Type `json:"type"`
	Name     string       `json:"name,omitempty"`
	Number   string       `json:"number,omitempty"`
	IBAN     string       `json:"iban,omitempty"`
	BIC      string       `json:"bic,omitempty"`
	Currency string       `json:"currency,omitempty"`
	Balances []Balance    `json:"balances,omitempty"`
	At       time.Time    `json:"at"` // of the balances
}

// BalanceKind is what an amount of an account is.
type BalanceKind string

// The kinds of balances.
const (
	Booked    BalanceKind = "BOOKED"    // of a payment account or a card; negative is debt
	Available BalanceKind = "AVAILABLE" // the same, with a credit
	Value     BalanceKind = "VALUE"     // of savings, investments and pensions
	Debt      BalanceKind = "DEBT"      // of a loan, positive
)

// Balance is an amount of an account.
type Balance struct {
	Kind   BalanceKind  `json:"kind"`
	Amount money.Amount `json:"amount"`
}

// Through is how a link was read: under a consent, or by logins.
type Through struct {
	Lineage consent.ID `json:"lineage,omitempty"` // the first consent of its renewals; empty: the person signed or logged in each time
	Consent consent.ID `json:"consent,omitempty"` // the newest of them that was used
	First   time.Time  `json:"first"`
	Last    time.Time  `json:"last"`
}

// State is whether an account is there.
type State string

// The states.
const (
	Open    State = "OPEN"     // the newest list of one of its institutions has it
	Closed  State = "CLOSED"   // an institution said that it is closed
	NotSeen State = "NOT_SEEN" // lists that were read wholly do not have it any more
)

// State returns the state of a link, and since when.
func (l *Link) State() (State, time.Time) {
	switch {
	case !l.ClosedAt.IsZero():
		return Closed, l.ClosedAt
	case !l.Missing.IsZero():
		return NotSeen, l.Missing
	}
	return Open, l.First
}

// State returns the state of the account, and since when: it is open if one of its links
// is, and closed if one of them says so.
func (a *Account) State() (state State, since time.Time) {
	for i := range a.Links {
		s, at := a.Links[i].State()
		switch {
		case state == "", s == Open && state != Open, s == Closed && state == NotSeen:
			state, since = s, at
		case s == state && s == Open && at.Before(since), s == state && s != Open && at.After(since):
			since = at
		}
	}
	return state, since
}

// First returns when the account was seen first.
func (a *Account) First() time.Time {
	return slices.MinFunc(a.Links, func(x, y Link) int { return x.First.Compare(y.First) }).First
}

// Last returns when the account was seen last.
func (a *Account) Last() time.Time {
	return slices.MaxFunc(a.Links, func(x, y Link) int { return x.Last.Compare(y.Last) }).Last
}

// Newest returns the link that says what the account is now: an open one before others,
// and of these the one that was seen last.
func (a *Account) Newest() *Link {
	best := 0
	for i := range a.Links {
		l, b := &a.Links[i], &a.Links[best]
		if c := cmp.Compare(openness(l), openness(b)); c > 0 || c == 0 && l.Last.After(b.Last) {
			best = i
		}
	}
	return &a.Links[best]
}

func openness(l *Link) int {
	if s, _ := l.State(); s == Open {
		return 1
	}
	return 0
}

// Link returns the link with an id, or nil.
func (a *Account) Link(id string) *Link {
	for i := range a.Links {
		if a.Links[i].ID == id {
			return &a.Links[i]
		}
	}
	return nil
}

// Lineages returns the consents through which the account was seen, each once.
func (a *Account) Lineages() (all []consent.ID) {
	for i := range a.Links {
		for _, t := range a.Links[i].Through {
			if t.Lineage != "" && !slices.Contains(all, t.Lineage) {
				all = append(all, t.Lineage)
			}
		}
	}
	return all
}
