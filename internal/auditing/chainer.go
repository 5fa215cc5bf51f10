package auditing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"samla/internal/audit"
	"samla/internal/audit/chain"
	"samla/internal/store"
)

// chainRows is how many entries are chained in one transaction: so few that other writers
// are not kept waiting.
const chainRows = 256

// Chain chains all entries that are committed, and returns how many. It returns early,
// without an error, if another node chains. Errors: ErrTampered, the store's.
func (s *Service) Chain(ctx context.Context) (int, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return 0, err
	}
	for total := 0; ; {
		n := 0
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = s.chainSome(ctx, tx, key)
			return err
		})
		total += n
		if err != nil || n < chainRows {
			return total, err
		}
	}
}

// chainSome chains the oldest entries that have no place, and signs the new head.
func (s *Service) chainSome(ctx context.Context, tx store.Tx, key ed25519.PrivateKey) (int, error) {
	if alone, err := tx.LockAuditChain(ctx); err != nil || !alone {
		return 0, err
	}
	entries, err := tx.UnchainedEntries(ctx, chainRows)
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	before, state, err := s.end(ctx, tx, key.Public().(ed25519.PublicKey), true)
	if err != nil {
		return 0, err
	}
	ends, err := tx.AuditUsers(ctx, usersOf(entries))
	if err != nil {
		return 0, err
	}
	rows := make([]chain.Row, len(entries))
	for i, e := range entries {
		l := chain.Link{ID: e.ID, At: e.At, ClientID: e.ClientID, UserID: e.UserID, ConsentID: string(e.ConsentID), Kind: e.Kind, Detail: e.Detail}
		end := ends[e.UserID]
		hash := state.Append(&l, &end)
		if e.UserID != "" {
			ends[e.UserID] = end
		}
		rows[i] = chain.Row{Link: l, Stored: hash}
	}
	if err := tx.AppendAuditRows(ctx, rows, ends); err != nil {
		return 0, err
	}
	head := chain.Sign(key, state, chain.Head{At: s.now(), Purpose: chain.End})
	if before != nil && sameHour(before.At, head.At) {
		// One head of each hour is kept. A cut end between two is found by the last head.
		if err := tx.RemoveAuditHeads(ctx, chain.End, before.Count, before.Count); err != nil {
			return 0, err
		}
	}
	return len(rows), tx.PutAuditHead(ctx, head)
}

// now is the time in the precision of heads.
func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Microsecond) }

func sameHour(a, b time.Time) bool { return a.Truncate(time.Hour).Equal(b.Truncate(time.Hour)) }

func usersOf(entries []audit.Entry) []string {
	var ids []string
	seen := map[string]bool{"": true}
	for _, e := range entries {
		if !seen[e.UserID] {
			seen[e.UserID] = true
			ids = append(ids, e.UserID)
		}
	}
	return ids
}

// end returns the newest head, nil if there is none, and the state to go on from. The head
// must be signed and the last entry must have its hash: a changed end is not signed anew. last
// says that no entry may come after it; only who has locked the chain can say that.
func (s *Service) end(ctx context.Context, from store.Reader, public ed25519.PublicKey, last bool) (*chain.Signed, chain.State, error) {
	head, err := from.LastAuditHead(ctx, chain.End)
	if errors.Is(err, store.ErrNotFound) {
		rows, err := from.AuditHashes(ctx, 0, 1)
		if err == nil && len(rows) > 0 {
			err = fmt.Errorf("%w: it has entries and no head", ErrTampered)
		}
		return nil, chain.State{}, err
	}
	if err != nil {
		return nil, chain.State{}, err
	}
	state, valid := head.State()
	if !head.SignedBy(public) || !valid || head.Purpose != chain.End {
		return nil, state, fmt.Errorf("%w: the newest head is not signed with the key of this server", ErrTampered)
	}
	begin, err := s.begin(ctx, from, public)
	if err != nil {
		return nil, state, err
	}
	if begin != nil && begin.Count == head.Count {
		return &head, state, nil // all entries were removed
	}
	rows, err := from.AuditHashes(ctx, head.Count-1, 2)
	if err != nil {
		return nil, state, err
	}
	if len(rows) == 0 || last && len(rows) != 1 || rows[0].Seq != head.Count || rows[0].Stored != head.Hash {
		return nil, state, fmt.Errorf("%w: its last entry is not the one of the newest head", ErrTampered)
	}
	return &head, state, nil
}

// Check verifies the end of the chain, without changing anything: the newest head is signed
// with the key of this server, and its last entry has its hash. It reads a few rows. nil:
// nothing is chained yet. Errors: ErrTampered, the store's.
func (s *Service) Check(ctx context.Context) (*chain.Signed, error) {
	public, err := s.PublicKey(ctx)
	if err != nil {
		return nil, err
	}
	head, _, err := s.end(ctx, s.Store, public, false)
	return head, err
}

// begin returns the head that says which entries were removed, nil if none were.
func (s *Service) begin(ctx context.Context, from store.Reader, public ed25519.PublicKey) (*chain.Signed, error) {
	head, err := from.LastAuditHead(ctx, chain.Begin)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if _, valid := head.State(); !valid || !head.SignedBy(public) || head.Purpose != chain.Begin {
		return nil, fmt.Errorf("%w: its beginning is not signed with the key of this server", ErrTampered)
	}
	return &head, nil
}
