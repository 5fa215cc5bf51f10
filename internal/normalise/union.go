package normalise

import (
	"time"

	"samla/internal/fact"
)

// addHistories adds the histories of another place of the account. Rows that the
// account has already are left out. negate changes the signs: the place counts debts
// the other way.
func (a *account) addHistories(histories []fact.History, negate bool) {
	if a.histories == nil {
		a.histories = histories
		return
	}
	known := newShared(a.histories)
	repeated := known.match(histories)
	for i, h := range histories {
		rows := make([]fact.Transaction, 0, len(h.Transactions))
		for j, t := range h.Transactions {
			if repeated[[2]int{i, j}] {
				continue
			}
			if negate {
				t.Amount = t.Amount.Neg()
			}
			rows = append(rows, t)
		}
		h.Transactions = rows
		a.histories = append(a.histories, h)
	}
}

// shared counts the rows of one place by amount and day.
type shared map[entry]int

// entry is what two places say alike of a row: the amount without its sign, because
// places count debts differently, and the day.
type entry struct {
	amount, currency string
	day              int64
}

func entryOf(t *fact.Transaction) entry {
	return entry{t.Amount.Value().Abs().Trim(0).String(), t.Amount.Currency(), t.Day().Unix() / int64(24*time.Hour/time.Second)}
}

func newShared(histories []fact.History) shared {
	l := shared{}
	for _, h := range histories {
		for i := range h.Transactions {
			l[entryOf(&h.Transactions[i])]++
		}
	}
	return l
}

// daysApart is by how many days the same row can differ in two places: a list of cards
// can have the day of the purchase.
const daysApart = 3

// match returns the rows, by history and position, that the place has too, each of its
// rows once. Rows of the same day are matched first.
func (l shared) match(histories []fact.History) map[[2]int]bool {
	matched := map[[2]int]bool{}
	for apart := range int64(daysApart + 1) {
		for i, h := range histories {
			for j := range h.Transactions {
				e := entryOf(&h.Transactions[j])
				for _, day := range []int64{e.day - apart, e.day + apart} {
					at := e
					if at.day = day; !matched[[2]int{i, j}] && l[at] > 0 {
						l[at]--
						matched[[2]int{i, j}] = true
					}
				}
			}
		}
	}
	return matched
}
