package feeds

import (
	"cmp"
	"context"
	"slices"
	"time"

	"samla/internal/product"
	"samla/internal/store"
)

// Change is what has happened to the accounts of a user.
type Change struct {
	UserID   string
	Readings []Reading
	Moves    []Move
	// Deleted are accounts that are deleted. One of which links move away is merged into
	// the account that gets them.
	Deleted []string
}

// Reading is a list of transactions of an account, as a collection has read it.
type Reading struct {
	AccountID string
	Link      string    // of the account: the account as one institution has it
	At        time.Time // when the collection was completed
	// Late: a newer collection of the link was applied before.
	Late bool
	// Gone reports whether a link is not there any more, or is listed as closed.
	Gone func(link string) bool
	// Transactions is nil if they were not read.
	Transactions []product.Psd2Transaction
	// Whole: every page was read. From and Until are the first and the last day of the
	// window, YYYY-MM-DD; empty: not known, and open.
	Whole       bool
	From, Until string
	BookedOnly  bool // pending transactions were not read
	// Was are transactions as the same collection had them, when it was read again from its
	// stored answers: those that are not among Transactions in the same form.
	Was []product.Psd2Transaction
}

// Move is a link that belongs to another account than before, by a merge or a split. A
// split that undoes a merge gives the account its id back.
type Move struct{ Link, From, To string }

// News is what has changed in the feed of an account.
type News struct {
	Generation               int64
	Added, Modified, Removed int
}

// Plan is what is to be stored.
type Plan struct {
	News map[string]News // by account
	// More means that the readings have more than one plan writes: when this one is
	// stored, Plan is called again with the same change, without Moves.
	More bool

	moved   []movement
	deleted []string
	now     time.Time
	works   []*work
}

// Plan computes what a change means for the feeds. It runs outside of a transaction, and
// has no effect but the key of a user who has none: it runs again when another writer was
// first. Changes of one user never overlap: the caller stores the plan only if no other
// change of the user's accounts was stored since they were read.
// Errors: seal.ErrKeyDestroyed when the user is erased.
func (s *Service) Plan(ctx context.Context, c Change) (*Plan, error) {
	p := &Plan{News: map[string]News{}, deleted: c.Deleted, now: s.Clock.Now()}
	if err := s.planMoves(ctx, c, p); err != nil {
		return nil, err
	}
	readings := slices.DeleteFunc(slices.Clone(c.Readings), func(r Reading) bool { return r.Transactions == nil || r.Late })
	if len(readings) == 0 {
		return p, nil
	}
	m, err := s.marker(ctx, c.UserID)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(readings, func(a, b Reading) int { return cmp.Compare(a.AccountID, b.AccountID) })
	left := s.most
	for len(readings) > 0 {
		n := 1
		for n < len(readings) && readings[n].AccountID == readings[0].AccountID {
			n++
		}
		w, err := s.work(ctx, m, c.UserID, readings[:n:n])
		readings = readings[n:]
		if err != nil {
			return nil, err
		}
		if w == nil {
			continue
		}
		if len(w.changed) > left {
			w.cut(left)
			p.More = true
		}
		left -= len(w.changed)
		if err := s.seal(ctx, w); err != nil {
			return nil, err
		}
		p.works = append(p.works, w)
		p.News[w.head.AccountID] = w.news()
	}
	return p, nil
}

// Write stores the plan, in the transaction that stores the accounts, after these. It does
// not seal or open, and may run more than once. With store.ErrConflict a feed has changed
// since it was planned.
func (p *Plan) Write(ctx context.Context, tx store.Tx) error {
	for _, m := range p.moved {
		if err := m.write(ctx, tx); err != nil {
			return err
		}
	}
	if len(p.deleted) > 0 {
		if err := tx.DropFeeds(ctx, p.deleted, p.now); err != nil {
			return err
		}
	}
	for _, w := range p.works {
		if err := tx.PutFeed(ctx, w.stored, w.rows); err != nil {
			return err
		}
	}
	return nil
}
