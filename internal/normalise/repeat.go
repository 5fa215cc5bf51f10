package normalise

import (
	"strconv"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/plaintext"
)

// distinct returns the rows without repeats: a row that an institution gives again,
// mostly because its pages overlap. The institution's id is a hint, not a key
// (docs/reference/banks.md 6.4). Rows with one id are one row if nothing else speaks
// against it. Without an id, or where different rows share it, a row is repeated if
// another page has its equal and the pages overlap there; equal rows of one page are
// different payments.
func distinct(rows []row, lacks *deviation.Counts) []row {
	keys := keysOf(rows)
	if keys.unique {
		return rows
	}
	s := sorted(rows, keys)
	if !s.repeated {
		return rows
	}
	o := newOverlaps(rows, s)
	drop := make([]bool, len(rows))
	for _, c := range s.classes {
		if len(c.rows) < 2 {
			continue
		}
		if c.one {
			for _, i := range c.rows {
				drop[i] = i != c.best
			}
			continue
		}
		indistinct := o.repeats(c, func(i int) { drop[i] = true })
		lacks.Add(deviation.IndistinctRows, indistinct)
	}
	kept := rows[:0]
	for i := range rows {
		if !drop[i] {
			kept = append(kept, rows[i])
		}
	}
	return kept
}

// class is rows that are equal in what matters.
type class struct {
	number int
	rows   []int
	one    bool // they have an id and are one row
	best   int  // of one row: the fullest spelling
	id     bool // of several: they share an id, which others have too
	booked bool
	day    int32
}

// classes are the rows of an account, by class.
type classes struct {
	classes  []*class
	of       []int // the class of each row
	repeated bool  // a class has several rows
}

// key is an id of the institution. A pending row and its booked form can share one.
type key struct {
	booked, entry bool
	id            string
}

func keyOf(r *row) (key, bool) {
	if r.ID != "" {
		return key{r.Booked, false, r.ID}, true
	}
	return key{r.Booked, true, r.EntryReference}, r.EntryReference != ""
}

// sorted puts the rows into classes.
func sorted(rows []row, keys keys) *classes {
	s := &classes{of: make([]int, len(rows)), classes: make([]*class, 0, len(rows))}
	var contents map[string]int
	var buffer []byte
	all := make([]class, len(rows))
	members := make([]int, len(rows))
	for i := range rows {
		at, first := -1, keys.first[i]
		trusted := first >= 0 && !keys.shared[first]
		if trusted && first != i {
			at = s.of[first]
		} else if !trusted {
			if contents == nil {
				contents = make(map[string]int, len(rows))
			}
			buffer = appendContent(buffer[:0], &rows[i])
			if known, seen := contents[string(buffer)]; seen {
				at = known
			} else {
				contents[string(buffer)] = len(s.classes)
			}
		}
		if at < 0 {
			at = len(s.classes)
			members[i] = i
			all[at] = class{number: at, rows: members[i : i+1 : i+1], one: trusted, best: i, id: first >= 0, booked: rows[i].Booked, day: rows[i].day}
			s.classes = append(s.classes, &all[at])
		} else {
			c := s.classes[at]
			c.rows = append(c.rows, i)
			s.repeated = true
			if fuller(&rows[i], &rows[c.best]) {
				c.best = i
			}
		}
		s.of[i] = at
	}
	return s
}

// keys are the ids of the rows.
type keys struct {
	first  []int  // of each row, the first row with its key; -1 without one
	shared []bool // of the first row with a key, whether different rows have it
	unique bool   // each row has a key of its own
}

func keysOf(rows []row) keys {
	k := keys{first: make([]int, len(rows)), shared: make([]bool, len(rows)), unique: true}
	seen := make(map[key]int, len(rows))
	for i := range rows {
		of, ok := keyOf(&rows[i])
		if !ok {
			k.first[i], k.unique = -1, false
			continue
		}
		at, again := seen[of]
		if !again {
			seen[of] = i
			at = i
		} else {
			k.unique = false
			k.shared[at] = k.shared[at] || !agree(&rows[at], &rows[i])
		}
		k.first[i] = at
	}
	return k
}

// agree reports whether two rows with one id can be the same row: the day and the amount
// are equal, and nothing else differs that both have.
func agree(x, y *row) bool {
	return x.day == y.day && x.amount.Equal(y.amount) && sameTime(x.Moment, y.Moment) && sameTime(x.ValueDate, y.ValueDate) &&
		sameText(x.EntryReference, y.EntryReference) && sameText(x.EndToEndID, y.EndToEndID) && sameBalance(x.Transaction, y.Transaction) &&
		alikeOrUnsaid(x.Text, y.Text) && alikeOrUnsaid(x.counterparty, y.counterparty)
}

func sameBalance(x, y *fact.Transaction) bool {
	return x.BalanceAfter == nil || y.BalanceAfter == nil || x.BalanceAfter.Equal(*y.BalanceAfter)
}

// alikeOrUnsaid reports whether two texts can be spellings of one: one is empty, or
// occurs in the other.
func alikeOrUnsaid(x, y string) bool {
	if x == y || x == "" || y == "" {
		return true
	}
	a, b := plaintext.Fold(x), plaintext.Fold(y)
	return strings.Contains(a, b) || strings.Contains(b, a)
}

// fuller reports whether x says more than y.
func fuller(x, y *row) bool {
	return len(x.Text)+len(x.counterparty) > len(y.Text)+len(y.counterparty)
}

// appendContent appends all of a row that matters, however it is spelled.
func appendContent(b []byte, r *row) []byte {
	b = strconv.AppendBool(b, r.Booked)
	for _, t := range []time.Time{r.BookingDate, r.ValueDate, r.TransactionDate, r.Moment} {
		if b = append(b, 0); !t.IsZero() {
			b = strconv.AppendInt(b, t.Unix(), 36)
		}
	}
	b = appendAmount(append(b, 0), r)
	if b = append(b, 0); r.BalanceAfter != nil {
		b, _ = r.BalanceAfter.Value().Trim(0).AppendText(b) // it never fails
	}
	for _, s := range []string{r.Text, r.CreditorName, r.DebtorName, r.CreditorAccount, r.DebtorAccount} {
		b = plaintext.AppendFold(append(b, 0), s)
	}
	for _, s := range []string{r.ID, r.EntryReference, r.EndToEndID} {
		b = append(append(b, 0), s...)
	}
	return b
}
