package normalise

import (
	"strings"
	"time"

	"samla/internal/plaintext"
)

// The days after a pending row in which its booked form can be.
const (
	daysToBook      = 7  // of a row that looks the same
	daysByReference = 31 // of a row with the same reference: a hotel books when the guest leaves
)

// isSame reports whether a booked row with the same reference is the form of a pending
// one. The final amount can differ from the reserved one. A reference alone is not
// enough, because institutions count with small numbers and persons repeat references.
func isSame(p, b *row) bool {
	return p.amount.Currency() == b.amount.Currency() && p.amount.Sign()*b.amount.Sign() >= 0 &&
		follows(p, b, daysByReference) != no && (p.amount.Equal(b.amount) || looks(p, b) == yes)
}

// looksSame reports whether a booked row of the same amount is the form of a pending one.
func looksSame(p, b *row) bool {
	return !contradict(p, b) && follows(p, b, daysToBook) == yes && looks(p, b) == yes
}

// mayBeSame reports whether a booked row of the same amount can be the form of a pending
// one, because a day or the texts are not known.
func mayBeSame(p, b *row) bool {
	return !contradict(p, b) && follows(p, b, daysToBook) != no && looks(p, b) != no
}

// answer is the result of a comparison of what may be unknown.
type answer int

const (
	no answer = iota
	unknown
	yes
)

// follows returns whether the booked row is from the day of the pending one or from the
// days after it. Days of the same kind are compared, if both have them. If the day of
// the pending row is not known, the booked one must be from the days before the answer.
func follows(p, b *row, days int32) answer {
	if !sameTime(p.Moment, b.Moment) || !sameTime(p.TransactionDate, b.TransactionDate) {
		return no
	}
	from, to := p.day, b.day
	if p.ValueDate.IsZero() == b.ValueDate.IsZero() && !p.ValueDate.IsZero() && p.TransactionDate.IsZero() {
		from, to = dayNumber(p.ValueDate), dayNumber(b.ValueDate)
	}
	switch {
	case to == 0:
		return unknown
	case from != 0:
		return either(from <= to && to <= from+days)
	case p.at == 0 || p.at-days <= to:
		return unknown
	}
	return no
}

func either(ok bool) answer {
	if ok {
		return yes
	}
	return no
}

// contradict reports whether both rows have an id or a reference of one kind that
// differs.
func contradict(p, b *row) bool {
	return !sameText(p.ID, b.ID) || !sameText(p.EntryReference, b.EntryReference) || !sameText(p.EndToEndID, b.EndToEndID)
}

// looks returns whether the names on the other side are the same, or else the texts.
func looks(p, b *row) answer {
	if p.counterparty != "" && b.counterparty != "" {
		return either(occurs(p.counterparty, b.counterparty))
	}
	of, in := []string{p.Text, p.counterparty}, []string{b.Text, b.counterparty}
	if strings.Join(of, "") == "" || strings.Join(in, "") == "" {
		return unknown
	}
	for _, x := range of {
		for _, y := range in {
			if x != "" && y != "" && occurs(x, y) {
				return yes
			}
		}
	}
	return no
}

// occurs reports whether one of two texts occurs in the other.
func occurs(x, y string) bool {
	const enough = 3
	a, b := plaintext.Fold(x), plaintext.Fold(y)
	return len(a) >= enough && len(b) >= enough && (strings.Contains(a, b) || strings.Contains(b, a)) || a == b
}

// sameTime reports whether two times are equal, or one is unknown.
func sameTime(x, y time.Time) bool { return x.IsZero() || y.IsZero() || x.Equal(y) }

// sameText reports whether two texts are equal, or one is unknown.
func sameText(x, y string) bool { return x == "" || y == "" || x == y }
