package ledger

import "time"

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
}

// Before returns the last day on which another source may have rows beside the lead's.
func (l Lead) Before() int32 {
	if l.From == 0 {
		return Day(l.At) - gapDays - 1
	}
	return l.From - gapDays - 1
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
// A list of the lead counts as it is. So does that of another source when the lead is
// gone or was not read for LeadLife; it takes the lead over. What it does not reach back
// to stays then, because it may be the history of an account that was renumbered. Of other lists
// only the booked rows count that are older than all of the lead's: they add history. A
// reading that is older than the lead's newest one never counts.
func (l Lead) Admit(r Reading, list List) (List, Lead, bool) {
	oldest := list.oldest()
	switch {
	case r.At.Before(l.At):
		return List{}, l, false
	case l.Link == r.Link:
		if l.From != 0 && (oldest == 0 || l.From < oldest) {
			oldest = l.From
		}
		return list, Lead{r.Link, r.At, oldest}, true
	case l.Link == "", r.LeadGone, r.At.Sub(l.At) > LeadLife:
		list.Takeover = true
		if list.From = max(list.From, oldest); oldest == 0 {
			list.From = 0
		}
		return list, Lead{r.Link, r.At, oldest}, true
	}
	last := l.Before()
	older := List{Whole: list.Whole, From: list.From, To: last, BookedOnly: true}
	if list.To != 0 {
		older.To = min(last, list.To)
	}
	for _, i := range list.Items {
		if !i.Pending && i.Day != 0 && i.Day <= last {
			older.Items = append(older.Items, i)
		}
	}
	return older, l, true
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
