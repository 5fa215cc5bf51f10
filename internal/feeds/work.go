package feeds

import (
	"cmp"
	"context"
	"slices"
	"time"

	"samla/internal/ledger"
	"samla/internal/product"
	"samla/internal/store"
)

// work is the change of one feed.
type work struct {
	head    head
	before  ledger.Lead
	now     time.Time
	marker  *ledger.Marker
	changed []*change // in the order of their positions
	byID    map[string]*change

	stored store.FeedHead
	rows   []store.FeedRow
}

// change is a row that is written.
type change struct {
	row  store.FeedRow
	kind ledger.Kind
	tx   *product.Psd2Transaction // nil: the row is removed
}

// work computes what readings of one account change in its feed. It returns nil if
// nothing is to be stored.
func (s *Service) work(ctx context.Context, m *ledger.Marker, userID string, readings []Reading) (*work, error) {
	h, err := s.head(ctx, userID, readings[0].AccountID)
	if err != nil {
		return nil, err
	}
	w := &work{head: h, before: h.lead, now: s.Clock.Now(), marker: m, byID: map[string]*change{}}
	// The lead comes first, or else the longest list.
	slices.SortStableFunc(readings, func(a, b Reading) int {
		return cmp.Or(-compareBool(a.Link == h.lead.Link, b.Link == h.lead.Link), -cmp.Compare(len(a.Transactions), len(b.Transactions)))
	})
	admitted := false
	for i := range readings {
		ok, err := s.read(ctx, w, &readings[i])
		if err != nil {
			return nil, err
		}
		admitted = admitted || ok
	}
	if !admitted || h.Rev > 0 && len(w.changed) == 0 && w.head.lead == h.lead {
		return nil, nil
	}
	return w, nil
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// read applies one reading. It is false if nothing of it counts.
func (s *Service) read(ctx context.Context, w *work, r *Reading) (bool, error) {
	list := ledger.List{Whole: r.Whole, From: dayOf(r.From), To: dayOf(r.Until), BookedOnly: r.BookedOnly, Items: make([]ledger.Item, len(r.Transactions))}
	for i := range r.Transactions {
		list.Items[i] = w.marker.Item(&r.Transactions[i], "")
		list.Items[i].Ref = i
	}
	for i := range r.Was {
		if list.Was == nil {
			list.Was = make(map[[16]byte]bool, len(r.Was))
		}
		list.Was[w.marker.Item(&r.Was[i], "").Form] = true
	}
	lead := w.head.lead
	list, next, ok := lead.Admit(ledger.Reading{Link: r.Link, At: r.At, LeadGone: r.Gone != nil && lead.Link != "" && r.Gone(lead.Link)}, list)
	if !ok {
		return false, nil
	}
	w.head.lead = next
	rows, err := s.rows(ctx, w, &list)
	if err != nil {
		return false, err
	}
	known := make([]ledger.Row, len(rows))
	for i := range rows {
		known[i] = rows[i].Row
	}
	plan := ledger.Reconcile(known, list)
	for _, i := range plan.Removed {
		row := rows[i]
		row.Removed, row.RemovedAt = true, w.now
		w.put(row, ledger.Gone, nil)
	}
	put := func(row store.FeedRow, kind ledger.Kind, item *ledger.Item) {
		row.Item, row.Removed, row.RemovedAt, row.DayMark = *item, false, time.Time{}, w.marker.Day(item.Day)
		w.put(row, kind, &r.Transactions[item.Ref])
	}
	for _, pair := range plan.Modified {
		put(rows[pair.Row], ledger.Modified, &list.Items[pair.Item])
	}
	for _, pair := range plan.Returned {
		put(rows[pair.Row], ledger.Added, &list.Items[pair.Item])
	}
	for _, i := range plan.Added {
		put(store.FeedRow{Row: ledger.Row{ID: s.IDs.New()}, Source: r.Link}, ledger.Added, &list.Items[i])
	}
	return true, nil
}

// put notes that a row is written, at the next position.
func (w *work) put(row store.FeedRow, kind ledger.Kind, tx *product.Psd2Transaction) {
	c := w.byID[row.ID]
	if c == nil {
		c = &change{}
		w.byID[row.ID], w.changed = c, append(w.changed, c)
	} else if c.kind == ledger.Added && kind == ledger.Modified {
		kind = ledger.Added
	}
	w.head.Pos++
	row.Pos = w.head.Pos
	if kind == ledger.Added && (c.tx == nil || row.Born == 0) {
		row.Born = row.Pos
	}
	c.row, c.kind, c.tx = row, kind, tx
}

// cut leaves out what is more than n rows. It comes with the next plan, because then the
// list has it and the feed does not. The lead stays until then, so that the same rules
// hold for the rest.
func (w *work) cut(n int) {
	w.head.lead = w.before
	w.changed = w.changed[:n]
	w.head.Pos = 0
	for _, c := range w.changed {
		w.head.Pos = max(w.head.Pos, c.row.Pos)
	}
}

// maxDays is for how many days rows are looked up by their days. For more all are read.
const maxDays = 500

// rows returns the rows that a list can change, with their days.
func (s *Service) rows(ctx context.Context, w *work, list *ledger.List) ([]store.FeedRow, error) {
	if w.head.Rev == 0 && len(w.changed) == 0 {
		return nil, nil
	}
	from, to := span(list, ledger.Day(w.now))
	days := map[int64]int32{0: 0}
	marks := []int64{0}
	for day := from; day <= to; day++ {
		mark := w.marker.Day(day)
		days[mark] = day
		marks = append(marks, mark)
	}
	if len(marks) > maxDays {
		marks = nil
	}
	rows, err := s.Store.FeedRows(ctx, w.head.AccountID, marks)
	if err != nil {
		return nil, err
	}
	kept := rows[:0]
	for _, row := range rows {
		day, near := days[row.DayMark]
		if w.byID[row.ID] != nil || !near {
			continue
		}
		row.Day = day
		kept = append(kept, row)
	}
	for _, c := range w.changed {
		kept = append(kept, c.row)
	}
	return kept, nil
}

// span returns the days of the rows that a list can change.
func span(list *ledger.List, today int32) (from, to int32) {
	from, to = today, today
	if list.From != 0 {
		from = min(from, list.From)
	}
	to = max(to, list.To)
	for i := range list.Items {
		if day := list.Items[i].Day; day != 0 {
			from, to = min(from, day), max(to, day)
		}
	}
	// Rows of days to come, of which the list says that they are gone.
	return from - ledger.Reach, to + 2*ledger.Reach
}

// dayOf returns the number of a day YYYY-MM-DD; 0 for any other text.
func dayOf(text string) int32 {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0
	}
	return ledger.Day(at)
}

// seal makes the rows as they are stored.
func (s *Service) seal(ctx context.Context, w *work) (err error) {
	if w.stored, err = s.sealed(ctx, w.head); err != nil {
		return err
	}
	w.rows = make([]store.FeedRow, len(w.changed))
	var form []byte
	for i, c := range w.changed {
		w.rows[i] = c.row
		if c.tx == nil {
			continue
		}
		form = ledger.AppendForm(form[:0], c.tx)
		if w.rows[i].Sealed, err = s.Vault.Seal(ctx, w.head.UserID, rowPlace(c.row.ID), form); err != nil {
			return err
		}
	}
	return nil
}

// news counts what has changed.
func (w *work) news() News {
	n := News{Generation: w.head.Generation}
	for _, c := range w.changed {
		switch c.kind {
		case ledger.Added:
			n.Added++
		case ledger.Modified:
			n.Modified++
		case ledger.Gone:
			n.Removed++
		}
	}
	return n
}
