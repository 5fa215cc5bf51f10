package feeds

import (
	"context"
	"slices"
	"time"

	"samla/internal/ledger"
	"samla/internal/store"
)

// movement gives rows of one feed to another.
type movement struct {
	from, to store.FeedHead
	shift    int64 // of the positions
	ids      []string
	merge    bool
}

func (m movement) write(ctx context.Context, tx store.Tx) error {
	if err := tx.PutFeed(ctx, m.from, nil); err != nil {
		return err
	}
	if err := tx.PutFeed(ctx, m.to, nil); err != nil {
		return err
	}
	if m.merge {
		if err := tx.AdoptFeeds(ctx, m.from.AccountID, m.to.AccountID); err != nil {
			return err
		}
	}
	return tx.MoveFeedRows(ctx, m.to.AccountID, m.shift, m.ids)
}

// mover plans the moves of links of one change.
type mover struct {
	*Service
	plan *Plan
	user string
	// As they are after the moves before.
	heads map[string]*head
	rows  map[string][]store.FeedRow
}

// head returns a feed's head as it is after the moves before.
func (m *mover) head(ctx context.Context, id string) (*head, error) {
	if m.heads[id] == nil {
		h, err := m.Service.head(ctx, m.user, id)
		if err != nil {
			return nil, err
		}
		m.heads[id] = &h
	}
	return m.heads[id], nil
}

// planMoves plans the moves of links: all that go from one account to another at once.
func (s *Service) planMoves(ctx context.Context, c Change, p *Plan) error {
	type way struct{ from, to string }
	links := map[way][]string{}
	var ways []way
	for _, m := range c.Moves {
		w := way{m.From, m.To}
		if links[w] == nil {
			ways = append(ways, w)
		}
		links[w] = append(links[w], m.Link)
	}
	m := &mover{Service: s, plan: p, user: c.UserID, heads: map[string]*head{}, rows: map[string][]store.FeedRow{}}
	for _, w := range ways {
		from, err := m.head(ctx, w.from)
		if err != nil {
			return err
		}
		to, err := m.head(ctx, w.to)
		if err != nil {
			return err
		}
		switch {
		case from.Rev == 0: // nothing to move
			continue
		case slices.Contains(c.Deleted, w.from):
			err = m.merge(ctx, from, to)
		default:
			err = m.split(ctx, from, to, links[w])
		}
		if err != nil {
			return err
		}
		p.News[to.AccountID] = News{Generation: to.Generation}
	}
	return nil
}

// merge plans that a feed becomes part of another one.
func (m *mover) merge(ctx context.Context, from, to *head) error {
	rows, err := m.rowsOf(ctx, from, nil, false)
	if err != nil {
		return err
	}
	marker, err := m.marker(ctx, to.UserID)
	if err != nil {
		return err
	}
	rows, from.Parent = beside(rows, to.lead, daysUntil(marker, m.Clock.Now())), to.AccountID
	switch {
	case to.lead.Link == "":
		to.lead = from.lead
	case len(rows) > 0:
		to.lead.Older = from.lead.Link
	}
	return m.move(ctx, from, to, rows, true)
}

// rowsOf returns the rows of a feed that were told of first by one of the links, or by
// none of them. Their positions are those before the moves.
func (m *mover) rowsOf(ctx context.Context, h *head, links []string, of bool) ([]store.FeedRow, error) {
	all, known := m.rows[h.AccountID]
	if !known && h.Rev > 0 {
		var err error
		if all, err = m.Store.FeedRows(ctx, h.AccountID, nil); err != nil {
			return nil, err
		}
	}
	m.rows[h.AccountID] = all
	return slices.DeleteFunc(slices.Clone(all), func(r store.FeedRow) bool { return slices.Contains(links, r.Source) != of }), nil
}

// move plans that rows go from one feed to another. Both begin another generation.
func (m *mover) move(ctx context.Context, from, to *head, rows []store.FeedRow, merge bool) error {
	if _, err := m.rowsOf(ctx, to, nil, false); err != nil { // they are known before they change
		return err
	}
	step := movement{shift: to.Pos, merge: merge}
	gone := make(map[string]bool, len(rows))
	for i := range rows {
		gone[rows[i].ID] = true
		step.ids = append(step.ids, rows[i].ID)
	}
	m.rows[from.AccountID] = slices.DeleteFunc(m.rows[from.AccountID], func(r store.FeedRow) bool { return gone[r.ID] })
	m.rows[to.AccountID] = append(m.rows[to.AccountID], rows...)
	now := m.Clock.Now()
	to.Pos += from.Pos
	to.Generation, from.Generation = to.place().Restart(now), from.place().Restart(now)
	var err error
	if step.from, err = m.sealed(ctx, *from); err != nil {
		return err
	}
	if step.to, err = m.sealed(ctx, *to); err != nil {
		return err
	}
	from.Rev, to.Rev = from.Rev+1, to.Rev+1
	m.plan.moved = append(m.plan.moved, step)
	return nil
}

// beside returns the rows that an account with a lead of its own gets: those that are
// older than all of the lead's (ledger.Lead). The others stay where they are, unseen
// unless the merge is undone.
func beside(rows []store.FeedRow, lead ledger.Lead, days map[int64]int32) []store.FeedRow {
	if lead.Link == "" {
		return rows
	}
	if lead.Older != "" {
		return nil
	}
	last := lead.Before()
	return slices.DeleteFunc(rows, func(r store.FeedRow) bool {
		day, known := days[r.DayMark]
		return r.Removed || r.Pending || !known || day > last
	})
}

// daysUntil returns the days by their marks, from 1971 to a year from now.
func daysUntil(m *ledger.Marker, now time.Time) map[int64]int32 {
	days := map[int64]int32{}
	for day := int32(365); day < ledger.Day(now)+366; day++ {
		days[m.Day(day)] = day
	}
	return days
}
