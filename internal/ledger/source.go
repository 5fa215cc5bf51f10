package ledger

import (
	"slices"
	"time"
)

// LeadLife is how long the source that leads an account's feed keeps the lead without
// being read.
const LeadLife = 14 * 24 * time.Hour

// gapDays are the days before the oldest row of the lead from which no other source
// adds rows: there a payment of the lead can have another day.
const gapDays = 7

// Lead is the source that an account's feed follows: one link of the account (package
// account), by its id. Two institutions can list the same payment with other days and
// texts, so that no comparison tells for sure which of their rows are one. So one source at a
// time decides, and no payment is there twice.
type Lead struct {
	Link string    `json:"link,omitempty"`
	At   time.Time `json:"at,omitzero"`    // of its newest reading
	From int32     `json:"from,omitempty"` // the oldest day of a row that it had; 0: it had none
	// Oldest is the same of all leads that there were.
	Oldest int32 `json:"oldest,omitempty"`
	// Older is the one other source that has added rows before Oldest.
	Older string `json:"older,omitempty"`
}

// Before returns the last day on which another source may have rows beside the lead's.
func (l Lead) Before() int32 {
	if l.Oldest == 0 {
		return Day(l.At) - gapDays - 1
	}
	return l.Oldest - gapDays - 1
}

// Reading is when and from where a list was read.
type Reading struct {
	Link string
	At   time.Time
	// LeadGone means that the lead is not there any more: its institution lists it as
	// closed, or not at all.
	LeadGone bool
}

// Admit returns what of a list counts, and the lead after it. Not ok: nothing of it.
//
// A list of the lead counts. So does that of another source that was read wholly when the
// lead is gone or was not read for LeadLife; it takes the lead over. What it does not reach back to stays, as
// it may be the history of the account under its former number. Beside such history, only a list that was read
// wholly reaches further back than before. Of other lists only the booked rows count that are
// older than all rows of leads, and only of one source: they add history and remove nothing. A
// reading that is older than the lead's newest one never counts.
func (l Lead) Admit(r Reading, list List) (List, Lead, bool) {
	same := l.Link == r.Link
	switch {
	case r.At.Before(l.At):
		return List{}, l, false
	case same || l.Link == "" || list.Whole && (r.LeadGone || r.At.Sub(l.At) > LeadLife):
		mixed := l.Older != "" || l.Oldest != l.From // rows of others are there
		if same && mixed && !list.Whole {
			list.Items = slices.DeleteFunc(slices.Clone(list.Items), func(i Item) bool { return i.Day != 0 && (l.From == 0 || i.Day < l.From) })
		}
		oldest := list.oldest()
		if same {
			oldest = earlier(oldest, l.From)
		}
		list.Takeover = !same || mixed
		return list, Lead{Link: r.Link, At: r.At, From: oldest, Oldest: earlier(oldest, l.Oldest), Older: l.Older}, true
	case l.Older != "" && l.Older != r.Link:
		return List{}, l, false
	}
	older := List{}
	for _, i := range list.Items {
		if !i.Pending && i.Day != 0 && i.Day <= l.Before() {
			older.Items = append(older.Items, i)
		}
	}
	if len(older.Items) == 0 {
		return List{}, l, false
	}
	l.Older = r.Link
	return older, l, true
}

// earlier returns the earlier of two days, of which 0 is not known.
func earlier(a, b int32) int32 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// oldest returns the day of the oldest row; 0: there is none with a day.
func (l *List) oldest() (day int32) {
	for i := range l.Items {
		if d := l.Items[i].Day; d != 0 && (day == 0 || d < day) {
			day = d
		}
	}
	return day
}
