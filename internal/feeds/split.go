package feeds

import (
	"context"
	"slices"

	"samla/internal/ledger"
	"samla/internal/store"
)

// split plans that links leave a feed, with all rows that they told of first: those that
// are seen, and those of the feeds that were merged into it. A feed that is there again
// gives back what other links had added to it before it was merged.
func (m *mover) split(ctx context.Context, from, to *head, links []string) error {
	merged, err := m.Store.MergedFeeds(ctx, from.AccountID)
	if err != nil {
		return err
	}
	again := to.Parent == from.AccountID
	to.Parent = ""
	for _, id := range append([]string{from.AccountID}, merged...) {
		h, err := m.head(ctx, id)
		if err != nil {
			return err
		}
		if h == to || h != from && h.Parent != from.AccountID {
			continue
		}
		rows, err := m.rowsOf(ctx, h, links, true)
		if err != nil {
			return err
		}
		if h == from || len(rows) > 0 {
			if err := m.leave(ctx, h, to, links, rows); err != nil {
				return err
			}
		}
	}
	if again {
		aside, err := m.setAside(ctx, to, from.AccountID, links)
		if err != nil {
			return err
		}
		merged = append(merged, aside...)
	}
	if from.lead.Link == "" {
		if err := m.show(ctx, from, merged); err != nil {
			return err
		}
	}
	m.plan.News[from.AccountID] = News{Generation: from.Generation}
	return nil
}

// setAside moves what other links had added to a feed that is there again to a feed of
// its own, which is part of the parent and unseen until the links lead or leave.
func (m *mover) setAside(ctx context.Context, h *head, parent string, links []string) ([]string, error) {
	if !slices.Contains(links, h.lead.Link) {
		h.lead = ledger.Lead{}
	}
	h.lead.Older = ""
	rows, err := m.rowsOf(ctx, h, links, false)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	aside, err := m.head(ctx, m.IDs.New())
	if err != nil {
		return nil, err
	}
	aside.Parent = parent
	return []string{aside.AccountID}, m.move(ctx, h, aside, rows, false)
}

// show brings back into view what a feed without a lead has of the link that was read
// last among those that were merged into it: it leads now.
func (m *mover) show(ctx context.Context, h *head, merged []string) error {
	var parts []*head
	var next *head
	for _, id := range merged {
		part, err := m.head(ctx, id)
		if err != nil {
			return err
		}
		if part.Parent != h.AccountID {
			continue
		}
		parts = append(parts, part)
		if part.lead.Link != "" && (next == nil || part.lead.At.After(next.lead.At)) {
			next = part
		}
	}
	if next == nil {
		return nil
	}
	h.lead, next.lead = next.lead, ledger.Lead{}
	h.lead.Older = ""
	if others, err := m.rowsOf(ctx, h, []string{h.lead.Link}, false); err != nil {
		return err
	} else if i := slices.IndexFunc(others, func(r store.FeedRow) bool { return !r.Removed }); i >= 0 {
		h.lead.Older = others[i].Source
	}
	for _, part := range parts {
		rows, err := m.rowsOf(ctx, part, []string{h.lead.Link}, true)
		if err != nil {
			return err
		}
		if part == next || len(rows) > 0 {
			if err := m.move(ctx, part, h, rows, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave moves rows of links that leave, and the lead with them.
func (m *mover) leave(ctx context.Context, from, to *head, links []string, rows []store.FeedRow) error {
	if slices.Contains(links, from.lead.Link) {
		if to.lead.At.Before(from.lead.At) {
			to.lead = from.lead
		}
		from.lead = ledger.Lead{}
	}
	if slices.Contains(links, from.lead.Older) {
		from.lead.Older = ""
	}
	return m.move(ctx, from, to, rows, false)
}
