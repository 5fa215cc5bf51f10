package ledger

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// matcher pairs rows and items, in time that grows with their number.
type matcher struct {
	rows    []Row
	items   []Item
	list    *List
	rowLeft []int // not paired yet, by day
	left    []int // items, by day
	pairs   []Pair
}

// newMatcher orders rows and items by their days, in a way that does not depend on the
// order in which they came.
func newMatcher(rows []Row, list *List) *matcher {
	m := &matcher{rows: rows, items: list.Items, list: list, rowLeft: make([]int, len(rows)), left: make([]int, len(list.Items))}
	for i := range m.rowLeft {
		m.rowLeft[i] = i
	}
	for i := range m.left {
		m.left[i] = i
	}
	slices.SortStableFunc(m.rowLeft, func(x, y int) int {
		return cmp.Or(cmp.Compare(rows[x].Day, rows[y].Day), strings.Compare(rows[x].ID, rows[y].ID))
	})
	slices.SortStableFunc(m.left, func(x, y int) int {
		a, b := &m.items[x], &m.items[y]
		return cmp.Or(cmp.Compare(a.Day, b.Day), bytes.Compare(a.Form[:], b.Form[:]), cmp.Compare(a.Bank, b.Bank))
	})
	return m
}

// group is the items that have a key, by day, and how many rows have it.
type group struct {
	items []int
	rows  int
}

// pass pairs what a rule allows.
func (m *matcher) pass(p pass) {
	groups := m.groups(p)
	if len(groups) == 0 {
		return
	}
	taken := map[int]bool{} // items
	m.rowLeft = slices.DeleteFunc(m.rowLeft, func(r int) bool {
		row := &m.rows[r]
		k, ok := p.ofRow(row)
		if !ok {
			return false
		}
		g := groups[k]
		if g == nil || p.alone && (g.rows != 1 || len(g.items) != 1) {
			return false
		}
		i, found := m.take(p, row, g)
		if found {
			taken[i] = true
			m.pairs = append(m.pairs, Pair{Row: r, Item: i})
		}
		return found
	})
	if len(taken) > 0 {
		m.left = slices.DeleteFunc(m.left, func(i int) bool { return taken[i] })
	}
}

func (m *matcher) groups(p pass) map[key]*group {
	if len(m.left) == 0 || len(m.rowLeft) == 0 {
		return nil
	}
	groups := map[key]*group{}
	for _, i := range m.left {
		k, ok := p.ofItem(&m.items[i])
		if !ok {
			continue
		}
		if groups[k] == nil {
			groups[k] = &group{}
		}
		groups[k].items = append(groups[k].items, i)
	}
	if p.alone {
		for _, r := range m.rowLeft {
			if k, ok := p.ofRow(&m.rows[r]); ok && groups[k] != nil {
				groups[k].rows++
			}
		}
	}
	return groups
}

// take takes the first item of a group that is near enough to the row. The rows of a
// group come by day: an item that is too early for one is too early for the next.
func (m *matcher) take(p pass, row *Row, g *group) (int, bool) {
	for len(g.items) > 0 {
		i := g.items[0]
		known := row.Day != 0 && m.items[i].Day != 0 && p.back+p.ahead > 0
		if known && m.items[i].Day > row.Day+p.ahead {
			return 0, false
		}
		g.items = g.items[1:]
		if !known || m.items[i].Day >= row.Day-p.back {
			return i, true
		}
	}
	return 0, false
}

// ofRow returns the key of a row, if the rule is about the row.
func (p pass) ofRow(r *Row) (key, bool) {
	if !p.rows(r) || p.change == settled && !r.Pending {
		return key{}, false
	}
	return p.of(&r.Item)
}

// ofItem returns the key of an item, if the rule is about the item.
func (p pass) ofItem(i *Item) (key, bool) {
	if p.change == settled && i.Pending {
		return key{}, false
	}
	return p.of(i)
}

func (p pass) of(i *Item) (key, bool) {
	k, ok := p.key(i)
	k.pending = p.change == sameStatus && i.Pending
	return k, ok
}

// plan returns what the pairs change, and what is left over on both sides.
func (m *matcher) plan() Plan {
	p := Plan{Added: m.left}
	for _, pair := range m.pairs {
		row := &m.rows[pair.Row]
		switch {
		case row.Removed:
			p.Returned = append(p.Returned, pair)
		case row.Form != m.items[pair.Item].Form:
			p.Modified = append(p.Modified, pair)
		}
	}
	for _, r := range m.rowLeft {
		if row := &m.rows[r]; !row.Removed && m.list.removable(&row.Item) {
			p.Removed = append(p.Removed, r)
		}
	}
	byRow := func(x, y Pair) int { return cmp.Compare(x.Row, y.Row) }
	slices.SortFunc(p.Modified, byRow)
	slices.SortFunc(p.Returned, byRow)
	slices.Sort(p.Added)
	slices.Sort(p.Removed)
	return p
}
