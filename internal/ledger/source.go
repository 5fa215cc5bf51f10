package ledger

import "time"

// LeadLife is how long the source that leads an account's feed keeps the lead without
// being read.
const LeadLife = 14 * 24 * time.Hour

// Source is one way to an account: the account as one company lists it.
type Source struct {
	Company string `json:"company"`
	Link    string `json:"link"` // the id of the account's link there (package account)
}

// Lead is the source that an account's feed follows. Two companies can list the same
// payment with other days and texts, so that no comparison tells for sure which of their
// rows are one. So one source at a time decides, and no payment is there twice.
type Lead struct {
	Source
	At   time.Time `json:"at"`   // of the newest reading
	From int32     `json:"from"` // the oldest day that was read from it, or had a row
}

// Admit returns what of a list, read from a source at a time, counts, and the lead after
// it. Not ok: nothing of it.
//
// A list of the lead's company counts as it is. So does that of another one when the
// lead was not read for LeadLife. Of other lists only the rows count that are older than
// all of the lead's, with a gap of Reach in which the same payment could have another
// day; they add history that the lead does not have. What was read before the newest
// reading of the lead never counts.
func (l Lead) Admit(s Source, at time.Time, list List) (List, Lead, bool) {
	switch {
	case at.Before(l.At):
		return List{}, l, false
	case l.Source == (Source{}), s.Company == l.Company, at.Sub(l.At) > LeadLife:
		from := list.oldest()
		if s.Company == l.Company && l.From != 0 && (from == 0 || l.From < from) {
			from = l.From
		}
		list.Takeover = l.Company != "" && s.Company != l.Company
		return list, Lead{Source: s, At: at, From: from}, true
	case l.From == 0:
		return List{}, l, false
	}
	last := l.From - Reach
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

// oldest returns the first day of the window, or of a row before it; 0: unknown.
func (l *List) oldest() int32 {
	from := l.From
	for i := range l.Items {
		if day := l.Items[i].Day; day != 0 && (from == 0 || day < from) {
			from = day
		}
	}
	return from
}
