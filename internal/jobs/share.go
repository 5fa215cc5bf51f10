package jobs

import (
	"maps"

	"samla/internal/store"
)

// Slots counts the slots of a queue that are taken, by company. It is not safe for
// concurrent use.
//
// The companies share the slots: each may take only as many as it leaves free. One
// company alone takes half of them, two companies take a third each. So a company whose
// handlers are slow never takes what another one needs, however many of its rows are due.
type Slots struct {
	all   int
	taken int
	of    map[string]int // taken, by company; no zeros
}

// NewSlots returns so many free slots.
func NewSlots(all int) Slots { return Slots{all: all} }

// Take takes a slot for a company, whether one is free or not.
func (s *Slots) Take(company string) {
	s.taken++
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.of[company]++
}

// Release gives back a slot that a company has taken.
func (s *Slots) Release(company string) {
	s.taken--
	if s.of[company]--; s.of[company] <= 0 {
		delete(s.of, company)
	}
}

// Free returns how many slots are free.
func (s *Slots) Free() int { return s.all - s.taken }

// room returns how many more slots a company with so many may take.
func (s *Slots) room(taken int) int { return max(0, (s.Free()-taken+1)/2) }

// MayTake reports whether a company may take one more slot.
func (s *Slots) MayTake(company string) bool { return s.room(s.of[company]) > 0 }

// Limit returns the limits of a claim of up to rows rows. It reports whether a company
// has no room: its rows are left, and become claimable when one of its slots is released.
func (s *Slots) Limit(rows int) (l store.ClaimLimit, full bool) {
	l = store.ClaimLimit{Rows: rows, Other: s.room(0), Company: maps.Clone(s.of)}
	for company, taken := range l.Company {
		l.Company[company] = s.room(taken)
		full = full || l.Company[company] == 0
	}
	return l, full
}
