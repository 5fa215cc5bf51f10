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
	heads := map[string]*head{} // as they are after the moves before
	for _, w := range ways {
		for _, id := range []string{w.from, w.to} {
			if heads[id] != nil {
				continue
			}
			h, err := s.head(ctx, c.UserID, id)
			if err != nil {
				return err
			}
			heads[id] = &h
		}
		if heads[w.from].Rev == 0 {
			continue // nothing to move
		}
		if err := s.planMove(ctx, heads[w.from], heads[w.to], links[w], slices.Contains(c.Deleted, w.from), p); err != nil {
			return err
		}
	}
	return nil
}

// planMove plans the move of links from one feed to another.
func (s *Service) planMove(ctx context.Context, from, to *head, links []string, merge bool, p *Plan) error {
	rows, err := s.Store.FeedRows(ctx, from.AccountID, nil)
	if err != nil {
		return err
	}
	m := movement{shift: to.Pos, merge: merge}
	if m.merge {
		marker, err := s.marker(ctx, to.UserID)
		if err != nil {
			return err
		}
		rows, from.Parent = beside(rows, to.lead, daysUntil(marker, s.Clock.Now())), to.AccountID
		switch {
		case to.lead.Link == "":
			to.lead = from.lead
		case len(rows) > 0:
			to.lead.Older = from.lead.Link
		}
	} else {
		rows = slices.DeleteFunc(rows, func(r store.FeedRow) bool { return !slices.Contains(links, r.Source) })
		if to.Parent = ""; slices.Contains(links, from.lead.Link) {
			if to.lead.At.Before(from.lead.At) {
				to.lead = from.lead
			}
			from.lead = ledger.Lead{}
		}
		if slices.Contains(links, from.lead.Older) {
			from.lead.Older = ""
		}
	}
	for i := range rows {
		m.ids = append(m.ids, rows[i].ID)
	}
	now := s.Clock.Now()
	to.Pos += from.Pos
	to.Generation, from.Generation = to.place().Restart(now), from.place().Restart(now)
	if m.from, err = s.sealed(ctx, *from); err != nil {
		return err
	}
	if m.to, err = s.sealed(ctx, *to); err != nil {
		return err
	}
	from.Rev, to.Rev = from.Rev+1, to.Rev+1
	p.moved = append(p.moved, m)
	p.News[to.AccountID] = News{Generation: to.Generation}
	if !m.merge {
		p.News[from.AccountID] = News{Generation: from.Generation}
	}
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
