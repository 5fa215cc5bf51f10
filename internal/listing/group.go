package listing

import (
	"slices"
	"strings"

	"samla/internal/fact"
)

// group joins the entries that are one account. indistinct is the number of cards in
// the list of cards that may be one of several accounts.
//
// Entries of one key are one account, because what is read of them has that key.
// Entries with a number in common are one account, whatever their currencies: the
// products of a multi-currency account are made by the currencies of its amounts.
func group(entries []fact.Account) (groups [][]fact.Account, indistinct int) {
	sets := newSets(entries)
	for i, e := range entries {
		sets.join("key/"+e.Key, i)
	}
	for i, e := range entries {
		for _, h := range handles(e) {
			sets.join(h, i)
		}
		if m := maskOf(e.MaskedPAN); len(m.tail) >= shownDigits {
			sets.join(cardHandle(e, m), i)
		}
	}
	indistinct = sets.pairCards()
	order := map[int]int{}
	for i, e := range entries {
		root := sets.find(i)
		at, known := order[root]
		if !known {
			at = len(groups)
			order[root] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], e)
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(a, b fact.Account) int { return list(a) - list(b) })
	}
	return groups, indistinct
}

// cardHandle is the handle of a masked number within its list: two cards of a person
// can show the same digits, so the name counts too.
func cardHandle(e fact.Account, m mask) string {
	parts := []string{"card", "accounts", m.String(), nameOf([]fact.Account{e})}
	if e.Card {
		parts[1] = "cards"
	}
	return strings.Join(parts, "/")
}

// list orders the two lists. The list of cards says more about cards.
func list(a fact.Account) int {
	if a.Card {
		return 0
	}
	return 1
}

// sets are disjoint sets of entries.
type sets struct {
	entries []fact.Account
	parent  []int
	ibans   []string       // of the set, by root; "" if unknown
	by      map[string]int // an entry by handle
}

func newSets(entries []fact.Account) *sets {
	s := &sets{entries: entries, parent: make([]int, len(entries)), ibans: make([]string, len(entries)), by: map[string]int{}}
	for i, e := range entries {
		s.parent[i], s.ibans[i] = i, compact(e.IBAN)
	}
	return s
}

func (s *sets) find(i int) int {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}

// join joins an entry to those with the same handle.
func (s *sets) join(handle string, i int) {
	other, known := s.by[handle]
	if !known {
		s.by[handle] = i
		return
	}
	s.union(other, i, strings.HasPrefix(handle, "key/"))
}

// union joins two sets unless their IBANs differ and the reason is not certain.
func (s *sets) union(i, j int, certain bool) {
	i, j = s.find(i), s.find(j)
	if i == j || !certain && s.ibans[i] != "" && s.ibans[j] != "" && s.ibans[i] != s.ibans[j] {
		return
	}
	if j < i {
		i, j = j, i
	}
	s.parent[j] = i
	if s.ibans[i] == "" {
		s.ibans[i] = s.ibans[j]
	}
}
