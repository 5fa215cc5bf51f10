package feeds

import (
	"context"
	"errors"

	"samla/internal/audit"
	"samla/internal/fault"
	"samla/internal/ledger"
	"samla/internal/seal"
	"samla/internal/store"
)

// Page is a part of a feed.
type Page struct {
	AccountID string
	// Generation is 0 if transactions of the account were never read; then the page has
	// nothing else.
	Generation int64
	Rows       []Row
	Next       string // cursor
	More       bool   // rows follow at once
}

// Row is a row of a page.
type Row struct {
	ID   string
	Kind ledger.Kind
	// Form is the JSON of the transaction from the member after accountId on
	// (ledger.AppendForm); nil for a row that is gone.
	Form []byte
}

// Reader is who reads.
type Reader struct {
	ClientID string
	UserID   string // empty: the client itself
	KeyID    string // of the client's API key
	Route    string // operation of the API
}

// Page reads up to limit rows of an account's feed after a cursor; an empty one is the
// beginning. Faults: AccountNotFound; InvalidParameter for a text that is no cursor of
// this feed; CursorExpired, FeedRestarted; Unavailable when the access cannot be recorded.
func (s *Service) Page(ctx context.Context, by Reader, accountID, cursor string, limit int) (Page, error) {
	stored, err := s.Store.AccountFeed(ctx, by.ClientID, accountID)
	if errors.Is(err, store.ErrNotFound) || err == nil && by.UserID != "" && by.UserID != stored.UserID {
		return Page{}, fault.New(fault.AccountNotFound)
	}
	if err != nil {
		return Page{}, err
	}
	p, err := s.page(ctx, stored, cursor, limit)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return Page{}, fault.New(fault.AccountNotFound)
	}
	if err != nil || len(p.Rows) == 0 {
		return p, err
	}
	entry := audit.Access{ClientID: by.ClientID, KeyID: by.KeyID, UserID: stored.UserID, AccountIDs: []string{accountID}, Consents: stored.Lineages,
		Route: by.Route, Basis: audit.ByConsent}
	if err := s.Access.RecordAccess(ctx, entry.Entry(s.IDs, s.Clock.Now())); err != nil {
		s.Log.Error("a read of transactions could not be recorded in the audit log and was refused", "account", accountID, "error", err)
		return Page{}, fault.New(fault.Unavailable)
	}
	return p, nil
}

// page reads a page of a feed.
func (s *Service) page(ctx context.Context, stored store.FeedHead, cursor string, limit int) (Page, error) {
	now, accountID := s.Clock.Now(), stored.AccountID
	if stored.Rev == 0 {
		if cursor != "" {
			return Page{}, foreign()
		}
		return Page{AccountID: accountID}, nil
	}
	m, err := s.openMarker(ctx, stored.UserID, stored.Key)
	if err != nil {
		return Page{}, err
	}
	h := head{FeedHead: stored}
	c := h.place().Begin(now)
	if cursor != "" {
		if c, err = m.Read(accountID, cursor, h.place(), now); err != nil {
			return Page{}, refused(err)
		}
	}
	rows, err := s.Store.FeedPage(ctx, accountID, c.Pos, c.Base, limit+1)
	if err != nil {
		return Page{}, err
	}
	p := Page{AccountID: accountID, Generation: stored.Generation, More: len(rows) > limit}
	last := stored.Pos // the page was read after it
	if p.More {
		rows, last = rows[:limit], rows[limit-1].Pos
	} else if len(rows) > 0 {
		last = max(last, rows[len(rows)-1].Pos)
	}
	p.Rows = make([]Row, len(rows))
	for i := range rows {
		row := &rows[i]
		p.Rows[i] = Row{ID: row.ID, Kind: c.Told(row.Removed, row.Born)}
		if row.Removed {
			continue
		}
		if p.Rows[i].Form, err = s.Vault.Open(ctx, stored.UserID, rowPlace(row.ID), row.Sealed); err != nil {
			return Page{}, err
		}
	}
	p.Next = m.Text(accountID, c.Next(last, p.More, now))
	return p, nil
}

func foreign() error {
	return fault.Param("?cursor", fault.Invalid, "must be taken from nextCursor of an answer about this account")
}

func refused(err error) error {
	switch {
	case errors.Is(err, ledger.ErrCursorExpired):
		return fault.New(fault.CursorExpired)
	case errors.Is(err, ledger.ErrCursorGeneration):
		return fault.New(fault.FeedRestarted)
	}
	return foreign()
}
