// Package accounts keeps the lasting accounts of users: it applies ended collections to
// them, merges, splits, lists and deletes them (docs/reference/api.md 11). The rules are in
// package account; package feeds keeps the transactions of the accounts.
package accounts

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"samla/internal/account"
	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/feeds"
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// DefaultKeep is how long an account is kept after it was seen last and after the end of
// the consents that it was seen through.
const DefaultKeep = 30 * 24 * time.Hour

// Deps are the dependencies of a Service. All members without a default are required.
type Deps struct {
	Store store.Store
	Vault seal.Vault
	Clock clock.Clock
	IDs   *uuid7.Generator
	Log   *slog.Logger
	Feed  *feeds.Service // nil: transactions are not kept
	Keep  time.Duration  // 0 = DefaultKeep
	// Journal is told of deleted accounts; nil: none.
	Journal journal.Recorder
	Access  store.AccessRecorder // of accounts that callers are given; nil: Store
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	slots chan struct{} // collections that are applied at once
}

// New returns a service.
func New(d Deps) *Service {
	d.Journal = journal.Or(d.Journal)
	if d.Access == nil {
		d.Access = d.Store
	}
	if d.Keep <= 0 {
		d.Keep = DefaultKeep
	}
	return &Service{Deps: d, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
}

// Owner is the caller of a request: a client, for one of its users.
type Owner struct {
	ClientID string
	UserID   string
	KeyID    string // of its API key, for the audit log; empty: a session of the user
	Route    string // operation that it calls, for the audit log; empty: it gets no accounts
}

// Place returns where an account is sealed.
func Place(id string) seal.Place {
	return seal.Place{Table: "accounts", Column: "sealed", Row: id}
}

// open opens the accounts of a user.
func (s *Service) open(ctx context.Context, set account.Set) ([]account.Account, error) {
	all := make([]account.Account, len(set.Records))
	for i, r := range set.Records {
		plain, err := s.Vault.Open(ctx, r.UserID, Place(r.ID), r.Sealed)
		if err != nil {
			return nil, err
		}
		if json.Unmarshal(plain, &all[i]) != nil || len(all[i].Links) == 0 {
			return nil, fmt.Errorf("account %s does not parse", r.ID)
		}
		all[i].ID, all[i].CreatedAt = r.ID, r.CreatedAt
	}
	return all, nil
}

// put adds an account to a change, sealed, with the generation that its feed has now.
func (s *Service) put(ctx context.Context, to *account.Change, a *account.Account, feed feeds.News) error {
	a.Generation = max(cmp.Or(feed.Generation, a.Generation), 1)
	if a.CreatedAt.IsZero() {
		a.CreatedAt = s.Clock.Now()
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode an account: %w", err)
	}
	r := account.Record{ID: a.ID, ClientID: to.ClientID, UserID: to.UserID, CreatedAt: a.CreatedAt, SeenAt: a.Last()}
	if r.Sealed, err = s.Vault.Seal(ctx, to.UserID, Place(a.ID), plain); err != nil {
		return err
	}
	to.Put = append(to.Put, r)
	for _, lineage := range a.Lineages() {
		to.Lineages = append(to.Lineages, account.Lineage{AccountID: a.ID, Consent: lineage})
	}
	return nil
}

// planFeed plans what a change means for the transactions.
func (s *Service) planFeed(ctx context.Context, c feeds.Change) (*feeds.Plan, error) {
	if s.Feed == nil {
		return &feeds.Plan{}, nil
	}
	return s.Feed.Plan(ctx, c)
}

// write stores a change of a user's accounts together with the feed's, the events and what
// also writes. Errors: errGone for a user who is erased; store.ErrConflict when another
// writer was first.
func (s *Service) write(ctx context.Context, c account.Change, p *feeds.Plan, news []news, also func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error {
		u, err := tx.LockUser(ctx, c.ClientID, c.UserID)
		if errors.Is(err, store.ErrNotFound) || err == nil && u.Anonymized() {
			return errGone
		}
		if err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		if err := tx.PutAccounts(ctx, c); err != nil {
			return err
		}
		if err := p.Write(ctx, tx); err != nil {
			return err
		}
		return s.tell(ctx, tx, c, news)
	})
}

// errGone says that the user is erased.
var errGone = errors.New("accounts: the user is erased")

// news is that something of an account has changed which a client may want to read.
type news struct {
	accountID  string
	generation int64
	feed       feeds.News
}

// tell writes the events of a change.
func (s *Service) tell(ctx context.Context, tx store.Tx, c account.Change, all []news) error {
	for _, n := range all {
		e := event.AccountUpdated(s.IDs, event.AccountNews{ClientID: c.ClientID, UserID: c.UserID, AccountID: n.accountID,
			Generation: n.generation, Added: n.feed.Added, Modified: n.feed.Modified, Removed: n.feed.Removed}, s.Clock.Now())
		if err := tx.AddEvent(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
