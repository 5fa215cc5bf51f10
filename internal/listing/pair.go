package listing

import (
	"slices"

	"samla/internal/fact"
)

// pairCards joins each set of the list of cards to the set of the list of accounts
// that is the same card: with the same id of the institution, or with a masked number
// that fits. It returns the number of cards that fit several, none better than the
// others.
func (s *sets) pairCards() (indistinct int) {
	var cards, accounts []int // roots of the sets that are in one list only
	lists := map[int][2]bool{}
	for i, e := range s.entries {
		in := lists[s.find(i)]
		in[list(e)] = true
		lists[s.find(i)] = in
	}
	for i := range s.entries {
		switch in := lists[i]; {
		case s.find(i) != i:
		case in == [2]bool{true, false}:
			cards = append(cards, i)
		case in == [2]bool{false, true}:
			accounts = append(accounts, i)
		}
	}
	members := map[int][]fact.Account{}
	for i, e := range s.entries {
		members[s.find(i)] = append(members[s.find(i)], e)
	}
	byDigits := map[string][]int{} // accounts by the last shown digits
	byID := map[string]int{}
	for _, a := range accounts {
		for _, e := range members[a] {
			if e.ID != "" {
				byID[e.ID] = a
			}
			if m := maskOf(e.MaskedPAN); len(m.tail) >= shownDigits {
				last := m.tail[len(m.tail)-shownDigits:]
				byDigits[last] = append(byDigits[last], a)
			}
		}
	}
	taken := map[int]bool{}
	pair := func(card, account int) {
		taken[account], taken[card] = true, true
		s.union(card, account, true)
	}
	for _, c := range cards {
		for _, e := range members[c] {
			if a, known := byID[e.ID]; known && !taken[a] && !taken[c] && sameResource(members[c], members[a]) {
				pair(c, a)
			}
		}
	}
	for _, c := range cards {
		if taken[c] {
			continue
		}
		switch fitting := s.fitting(members, c, byDigits, taken); {
		case len(fitting) == 1:
			pair(c, fitting[0])
		case len(fitting) > 1:
			indistinct++
		}
	}
	return indistinct
}

// fitting returns the accounts whose masked number fits that of a card, or of several
// those with the same name.
func (s *sets) fitting(members map[int][]fact.Account, card int, byDigits map[string][]int, taken map[int]bool) []int {
	var all, named []int
	for _, e := range members[card] {
		m := maskOf(e.MaskedPAN)
		if len(m.tail) < shownDigits {
			continue
		}
		for _, a := range byDigits[m.tail[len(m.tail)-shownDigits:]] {
			if taken[a] || slices.Contains(all, a) || masksDiffer(members[card], members[a]) {
				continue
			}
			all = append(all, a)
			if nameOf(members[a]) == nameOf(members[card]) {
				named = append(named, a)
			}
		}
	}
	if len(all) > 1 && len(named) == 1 {
		return named
	}
	return all
}

// masksDiffer reports whether two sets have masked numbers that cannot be the same.
func masksDiffer(one, other []fact.Account) bool {
	for _, a := range one {
		for _, b := range other {
			if m, n := maskOf(a.MaskedPAN), maskOf(b.MaskedPAN); m != (mask{}) && n != (mask{}) && !m.fits(n) {
				return true
			}
		}
	}
	return false
}

// longID is the length from which on an id of an institution is taken for unique in
// all of its lists. Shorter ones are counters in each list.
const longID = 16

// sameResource reports whether a card and an account with one id of the institution
// are the same. An institution may number its cards and its accounts apart: an account
// with a number of its own that nothing says to be a card is another.
func sameResource(card, account []fact.Account) bool {
	if masksDiffer(card, account) {
		return false
	}
	said := evidence(account)
	for _, a := range account {
		numbered := a.IBAN != "" || a.BBAN != ""
		if len(a.ID) >= longID || said == Card || said == unsaid && (a.MaskedPAN != "" || !numbered) {
			return true
		}
	}
	return false
}
