package auditing

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"samla/internal/audit/chain"
	"samla/internal/store"
)

// sweepRows is how many entries are removed in one transaction.
const sweepRows = 500

// Sweep removes the entries at the beginning of the log that are older than Keep, and
// signs where the log begins then. It returns how many. An entry is removed only with all
// before it. Errors: ErrTampered if what would be removed is not what was signed: it stays.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	if s.Keep <= 0 {
		return 0, nil
	}
	key, err := s.signingKey(ctx)
	if err != nil {
		return 0, err
	}
	for total := 0; ; {
		n := 0
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = s.sweepSome(ctx, tx, key)
			return err
		})
		total += n
		if err != nil || n < sweepRows {
			return total, err
		}
	}
}

func (s *Service) sweepSome(ctx context.Context, tx store.Tx, key ed25519.PrivateKey) (int, error) {
	if alone, err := tx.LockAuditChain(ctx); err != nil || !alone {
		return 0, err
	}
	begin, err := s.begin(ctx, tx, key.Public().(ed25519.PublicKey))
	if err != nil {
		return 0, err
	}
	var state chain.State
	if begin != nil {
		state, _ = begin.State()
	}
	rows, err := tx.AuditRows(ctx, state.Count, sweepRows)
	if err != nil {
		return 0, err
	}
	before, n := s.Clock.Now().Add(-s.Keep), 0
	for i := range rows {
		row := &rows[i]
		if !row.At.Before(before) {
			break
		}
		if row.Seq != state.Count+1 || row.Prev != state.Hash || row.Hash() != row.Stored {
			return 0, fmt.Errorf("%w: entry %d is not in its place", ErrTampered, state.Count+1)
		}
		state.Add(row.Stored)
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if err := tx.PutAuditHead(ctx, chain.Sign(key, state, chain.Head{At: s.now(), Purpose: chain.Begin})); err != nil {
		return 0, err
	}
	if begin != nil {
		if err := tx.RemoveAuditHeads(ctx, chain.Begin, 0, begin.Count); err != nil {
			return 0, err
		}
	}
	if err := tx.RemoveAuditHeads(ctx, chain.End, 0, state.Count-1); err != nil {
		return 0, err
	}
	return n, tx.RemoveAuditRows(ctx, state.Count)
}
