// Package feeds keeps the transactions of lasting accounts, each payment once across
// collections, for clients that follow them (docs/reference/api.md 12). The rules are in
// package ledger. Which account a transaction belongs to, and who may read it, is up to
// the caller.
package feeds

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"samla/internal/clock"
	"samla/internal/ledger"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Deps are the dependencies of a Service. All members without a default are required.
type Deps struct {
	Store  store.Store
	Vault  seal.Vault
	Clock  clock.Clock
	IDs    *uuid7.Generator
	Access store.AccessRecorder // of what is read; nil: Store
	Log    *slog.Logger         // nil: none
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	most int // rows that one plan writes
}

// maxRows is how many rows one plan writes: it bounds what is sealed and kept in memory,
// and how long other writers wait.
const maxRows = 20_000

// New returns a service.
func New(d Deps) *Service {
	if d.Access == nil {
		d.Access = d.Store
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Deps: d, most: maxRows}
}

// Places of what is sealed under the user's key.
func keyPlace(userID string) seal.Place {
	return seal.Place{Table: "feed_keys", Column: "sealed", Row: userID}
}

func leadPlace(accountID string) seal.Place {
	return seal.Place{Table: "feeds", Column: "sealed", Row: accountID}
}

func rowPlace(id string) seal.Place {
	return seal.Place{Table: "feed_rows", Column: "sealed", Row: id}
}

// marker returns the marker of a user, and makes the key if there is none.
func (s *Service) marker(ctx context.Context, userID string) (*ledger.Marker, error) {
	sealed, err := s.Store.FeedKey(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		sealed, err = s.addKey(ctx, userID)
	}
	if err != nil {
		return nil, err
	}
	return s.openMarker(ctx, userID, sealed)
}

func (s *Service) openMarker(ctx context.Context, userID string, sealed []byte) (*ledger.Marker, error) {
	key, err := s.Vault.Open(ctx, userID, keyPlace(userID), sealed)
	if err != nil {
		return nil, err
	}
	return ledger.NewMarker(key), nil
}

// addKey makes the key of a user and returns the one that is stored then, sealed.
func (s *Service) addKey(ctx context.Context, userID string) ([]byte, error) {
	key := make([]byte, ledger.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	sealed, err := s.Vault.Seal(ctx, userID, keyPlace(userID), key)
	if err != nil {
		return nil, err
	}
	err = s.Store.Write(ctx, func(tx store.Tx) (err error) {
		sealed, err = tx.AddFeedKey(ctx, userID, sealed)
		return err
	})
	return sealed, err
}

// head is a feed's head, opened.
type head struct {
	store.FeedHead
	lead ledger.Lead
}

// head reads the head of a feed; one with Rev 0 if there is none.
func (s *Service) head(ctx context.Context, userID, accountID string) (head, error) {
	stored, err := s.Store.Feed(ctx, accountID)
	if errors.Is(err, store.ErrNotFound) {
		h := head{FeedHead: store.FeedHead{AccountID: accountID, UserID: userID}}
		h.Generation = ledger.Head{}.Restart(s.Clock.Now())
		return h, nil
	}
	if err != nil {
		return head{}, err
	}
	h := head{FeedHead: stored}
	plain, err := s.Vault.Open(ctx, stored.UserID, leadPlace(accountID), stored.Sealed)
	if err != nil {
		return head{}, err
	}
	if json.Unmarshal(plain, &h.lead) != nil {
		return head{}, fmt.Errorf("the lead of the feed of account %s does not parse", accountID)
	}
	return h, nil
}

// sealed returns the head as it is stored.
func (s *Service) sealed(ctx context.Context, h head) (store.FeedHead, error) {
	plain, err := json.Marshal(h.lead)
	if err != nil {
		return h.FeedHead, err
	}
	h.Sealed, err = s.Vault.Seal(ctx, h.UserID, leadPlace(h.AccountID), plain)
	return h.FeedHead, err
}

// place returns where the feed is, for cursors.
func (h *head) place() ledger.Head {
	return ledger.Head{Generation: h.Generation, Pos: h.Pos, Swept: h.Swept}
}
