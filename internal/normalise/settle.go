package normalise

import (
	"cmp"
	"slices"

	"samla/internal/deviation"
)

// settle returns the rows without the pending ones that are there in their booked form
// too. The two forms have a reference in common; or they look alike, no id contradicts
// it, and the booked one follows within days. A pending row that may be the same as a
// booked one stays and is counted: it can be another purchase of the same kind.
func settle(rows []row, lacks *deviation.Counts) []row {
	var pending []int
	for i := range rows {
		if !rows[i].Booked {
			pending = append(pending, i)
		}
	}
	if len(pending) == 0 || len(pending) == len(rows) {
		return rows
	}
	slices.SortStableFunc(pending, func(i, j int) int { return cmp.Compare(rows[i].day, rows[j].day) })
	s := newSettling(rows)
	gone := make([]bool, len(rows))
	for _, i := range pending {
		gone[i] = s.take(&rows[i], s.withReference(&rows[i]), isSame)
	}
	for _, i := range pending {
		gone[i] = gone[i] || s.take(&rows[i], s.withAmount(&rows[i]), looksSame)
	}
	for _, i := range pending {
		if !gone[i] && (s.find(&rows[i], s.withAmount(&rows[i]), mayBeSame) >= 0 || s.comparisons < 0) {
			lacks.Add(deviation.IndistinctRows, 1)
		}
	}
	left := rows[:0]
	for i := range rows {
		if !gone[i] {
			left = append(left, rows[i])
		}
	}
	return left
}

// settling finds the booked forms of pending rows. Each booked row is the form of one.
type settling struct {
	rows        []row
	taken       []bool
	byReference map[string][]int
	byAmount    map[string][]int
	// comparisons is how many are left: an institution could send any number of rows
	// that are nearly equal. When none is left, pending rows stay and are counted.
	comparisons int
	buffer      []byte
}

func newSettling(rows []row) *settling {
	s := &settling{rows: rows, taken: make([]bool, len(rows)), comparisons: 200_000 + 10*len(rows),
		byReference: map[string][]int{}, byAmount: map[string][]int{}}
	for i := range rows {
		if r := &rows[i]; !r.Booked {
			s.byAmount[s.amount(r)] = nil
			for _, reference := range references(r) {
				s.byReference[reference] = nil
			}
		}
	}
	delete(s.byReference, "")
	for i := range rows {
		r := &rows[i]
		if !r.Booked {
			continue
		}
		amount := s.amount(r)
		if list, wanted := s.byAmount[amount]; wanted {
			s.byAmount[amount] = append(list, i)
		}
		for _, reference := range references(r) {
			if list, wanted := s.byReference[reference]; wanted {
				s.byReference[reference] = append(list, i)
			}
		}
	}
	return s
}

func (s *settling) amount(r *row) string {
	s.buffer = appendAmount(s.buffer[:0], r)
	return string(s.buffer)
}

func (s *settling) withAmount(p *row) []int { return s.byAmount[s.amount(p)] }

// withReference returns the booked rows that have a reference of the row.
func (s *settling) withReference(p *row) (found []int) {
	for _, reference := range references(p) {
		found = append(found, s.byReference[reference]...)
	}
	return found
}

// references returns what can name the payment. An institution may write a reference of
// the pending form in another member of the booked one.
func references(r *row) [3]string { return [3]string{r.ID, r.EntryReference, r.EndToEndID} }

// take finds the booked form of a pending row and takes it. It reports whether there is
// one.
func (s *settling) take(p *row, candidates []int, same func(p, b *row) bool) bool {
	at := s.find(p, candidates, same)
	if at >= 0 {
		s.taken[at] = true
	}
	return at >= 0
}

// find returns the candidate that is the form of a pending row, or -1. If there are
// several, it is the one with the same amount, and of them the earliest.
func (s *settling) find(p *row, candidates []int, same func(p, b *row) bool) int {
	best := -1
	for _, i := range candidates {
		if s.comparisons--; s.comparisons < 0 {
			break
		}
		b := &s.rows[i]
		if s.taken[i] || !same(p, b) {
			continue
		}
		if best < 0 || earlier(p, b, &s.rows[best]) {
			best = i
		}
	}
	return best
}

func earlier(p, b, best *row) bool {
	if equal := p.amount.Equal(b.amount); equal != p.amount.Equal(best.amount) {
		return equal
	}
	return b.day < best.day
}
