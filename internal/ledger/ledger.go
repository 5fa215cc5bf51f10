// Package ledger keeps the transactions of one account across readings: it compares
// what the feed of an account has with a list that was read now, and says what is
// added, modified and removed (docs/reference/api.md 12). It is pure: rows and lists
// come in, a plan goes out.
//
// Rows are compared by keyed digests (Marks), so that a stored row need not be opened
// to be compared, and tells nothing without its key.
package ledger

// Marks are keyed digests of a transaction. The zero value of one that is not Form
// means that the transaction does not have the member.
type Marks struct {
	Form   [16]byte // of everything that a client sees, but for the account
	Bank   uint64   // of the institution's id: a hint, not a key (docs/reference/banks.md 6.4)
	Amount uint64   // of the amount and its currency
	Text   uint64   // of the folded description
	Name   uint64   // of the folded counterparty
}

// Item is a transaction as the ledger sees it.
type Item struct {
	Ref     int // the caller's
	Pending bool
	Day     int32 // days since 1970; 0: unknown
	Marks
}

// Row is what the feed has of a transaction.
type Row struct {
	ID      string
	Removed bool // a tombstone: clients were told that it is gone
	Item
}

// List is the transactions of the account in one reading.
type List struct {
	Items []Item
	// Whole reports whether every page was read. From and To are the first and the last
	// day of the window that the institution told; a zero To is open. Without a From
	// the window is not known, and nothing that is booked is removed.
	Whole    bool
	From, To int32
	// BookedOnly means that pending transactions were not asked for or not given.
	BookedOnly bool
	// Takeover means that the rows are of another source, which may show other days.
	Takeover bool
}

// Pair is a row of the feed and the item that is its newer form, as indexes.
type Pair struct{ Row, Item int }

// Plan is what a list changes in the feed, as indexes of rows and items, in ascending
// order. Rows that are in no part of it stay as they are.
type Plan struct {
	Added    []int  // items that are new
	Modified []Pair // rows of which the form changed, such as pending ones that were booked
	Returned []Pair // tombstones that are there again, under their ids
	Removed  []int  // rows that are gone
}

// Size returns the number of rows that the plan writes.
func (p Plan) Size() int { return len(p.Added) + len(p.Modified) + len(p.Returned) + len(p.Removed) }

// removable reports whether the list shows by a row's absence that the row is gone.
// The first day of the window is left out: institutions cut it by other days than the
// one that is shown, and by their own clock.
func (l *List) removable(r *Item) bool {
	if !l.Whole || r.Pending && l.BookedOnly {
		return false
	}
	if r.Day == 0 {
		return r.Pending
	}
	return l.From != 0 && r.Day > l.From && (l.To == 0 || r.Day <= l.To)
}

// atSeam reports whether another source can have the payment inside of its window,
// although the row is just before it.
func (l *List) atSeam(r *Item) bool {
	return l.Takeover && l.From != 0 && r.Day != 0 && r.Day <= l.From && r.Day > l.From-seamDays
}
