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
	// day that was asked for; zero: open. An institution may answer with less of the past:
	// its list says nothing of the days before the oldest booked item.
	Whole    bool
	From, To int32
	// BookedOnly means that pending transactions were not asked for or not given.
	BookedOnly bool
	// Takeover means that the rows are of another source, which may show other days.
	Takeover bool
	// Was has the forms that transactions of this very list had, when it was read with
	// another mapping and one of them has changed: no other row can stand for them now.
	Was map[[16]byte]bool

	told int32 // the first day of which the list says what was booked; 0: of none
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

// tell sets the first day of which the list says what was booked.
func (l *List) tell() {
	l.told = 0
	for i := range l.Items {
		if day := l.Items[i].Day; !l.Items[i].Pending && day != 0 && (l.told == 0 || day < l.told) {
			l.told = day
		}
	}
	if l.told != 0 {
		l.told = max(l.told, l.From)
	}
}

// removable reports whether the list shows by a row's absence that the row is gone.
// The first day is left out: institutions cut their lists by other days than the
// one that is shown, by their own clock, and by a number of rows.
func (l *List) removable(r *Item) bool {
	switch {
	case l.Was[r.Form]:
		return true
	case !l.Whole, r.Day != 0 && l.To != 0 && r.Day > l.To:
		return false
	case r.Pending:
		return !l.BookedOnly && (r.Day == 0 || r.Day > l.From)
	}
	return l.told != 0 && r.Day > l.told
}

// atSeam reports whether another source can have the payment among its items, although
// the row is just before the first day that it tells of.
func (l *List) atSeam(r *Item) bool {
	return l.Takeover && l.told != 0 && r.Day != 0 && r.Day <= l.told && r.Day >= l.told-seamDays
}
