package auditing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"samla/internal/audit/chain"
	"samla/internal/store"
)

const (
	pageRows   = 500   // entries in one read
	pageHashes = 10000 // hashes in one read
)

// Head chains what is committed and returns the newest head, signed now. Errors:
// ErrTampered.
func (s *Service) Head(ctx context.Context) (chain.Signed, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return chain.Signed{}, err
	}
	if _, err := s.Chain(ctx); err != nil {
		return chain.Signed{}, err
	}
	public, err := s.PublicKey(ctx)
	if err != nil {
		return chain.Signed{}, err
	}
	_, state, err := s.end(ctx, s.Store, public, true)
	if err != nil {
		return chain.Signed{}, err
	}
	head := chain.Sign(key, state, chain.Head{At: s.now(), Purpose: chain.End})
	head.Peaks = nil
	return head, nil
}

// Range restricts an export by the times of heads: it begins with the last head signed by
// From and ends with the first one signed at To or later. A zero time restricts nothing.
type Range struct{ From, To time.Time }

// Export writes the log, or the part of r. What is written can be verified without the
// database. It holds one page of entries. A log that is not what was signed is written as
// it is, so that verification names the fault.
func (s *Service) Export(ctx context.Context, out io.Writer, r Range) error {
	if _, err := s.Chain(ctx); err != nil && !errors.Is(err, ErrTampered) {
		return err
	}
	end, err := s.Store.LastAuditHead(ctx, chain.End)
	if errors.Is(err, store.ErrNotFound) {
		if end, err = s.Head(ctx); err == nil {
			end.Peaks = nil
		}
	}
	if err != nil {
		return err
	}
	first := chain.First{Format: chain.FormatLog, Head: end}
	if begin, err := s.Store.LastAuditHead(ctx, chain.Begin); err == nil {
		first.Begin = &begin
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := s.restrict(ctx, r, &first); err != nil {
		return err
	}
	first.Head.Peaks = nil
	w := bufio.NewWriterSize(out, 64<<10)
	if _, err := w.Write(first.AppendJSON(nil)); err != nil {
		return err
	}
	if err := s.exportRows(ctx, w, first); err != nil {
		return err
	}
	if err := s.sameBegin(ctx, first.Begin); err != nil {
		return err
	}
	return w.Flush()
}

// sameBegin returns an error if entries of an export were removed while it was written,
// because their time was over.
func (s *Service) sameBegin(ctx context.Context, begin *chain.Signed) error {
	now, err := s.Store.LastAuditHead(ctx, chain.Begin)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil && (begin == nil || now.Count > begin.Count) {
		err = errors.New("old entries were removed while the log was exported: export it again")
	}
	return err
}

// restrict moves the beginning and the end of an export to heads around r.
func (s *Service) restrict(ctx context.Context, r Range, first *chain.First) error {
	if r == (Range{}) {
		return nil
	}
	for after, ended := int64(-1), false; !ended; {
		heads, err := s.Store.AuditHeads(ctx, chain.End, after, pageRows)
		if err != nil {
			return err
		}
		ended = len(heads) < pageRows
		for i := range heads {
			h := heads[i]
			after = h.Count
			if !r.From.IsZero() && !h.At.After(r.From) {
				first.Begin = &h
			}
			if !r.To.IsZero() && !h.At.Before(r.To) {
				first.Head, ended = h, true
				break
			}
		}
	}
	return nil
}

// exportRows writes the entries between the two heads, and the heads in between.
func (s *Service) exportRows(ctx context.Context, w io.Writer, first chain.First) error {
	after := int64(0)
	if first.Begin != nil {
		after = first.Begin.Count
	}
	heads, err := s.Store.AuditHeads(ctx, chain.End, after, pageRows)
	if err != nil {
		return err
	}
	var line []byte
	for {
		rows, err := s.Store.AuditRows(ctx, after, pageRows)
		if err != nil {
			return err
		}
		for i := range rows {
			row := &rows[i]
			if row.Seq > first.Head.Count {
				return nil // chained since
			}
			after = row.Seq
			if line = row.AppendJSON(line[:0]); len(heads) > 0 && heads[0].Count <= row.Seq {
				if heads[0].Count == row.Seq && row.Seq < first.Head.Count {
					heads[0].Peaks = nil
					line = append(heads[0].AppendJSON(line), '\n')
				}
				if heads = heads[1:]; len(heads) == 0 {
					if heads, err = s.Store.AuditHeads(ctx, chain.End, after, pageRows); err != nil {
						return err
					}
				}
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
	}
}

// ExportUser writes the entries of a user, with the proof that each belongs to the log and
// that none is missing. It reads the hashes of the whole log once. Errors: ErrTampered, in
// particular if the hashes in the database do not make the signed head.
func (s *Service) ExportUser(ctx context.Context, out io.Writer, userID string) error {
	key, err := s.signingKey(ctx)
	if err != nil {
		return err
	}
	if _, err := s.Head(ctx); err != nil {
		return err
	}
	head, err := s.Store.LastAuditHead(ctx, chain.End)
	if errors.Is(err, store.ErrNotFound) {
		head, err = chain.Sign(key, chain.State{}, chain.Head{Purpose: chain.End}), nil
	}
	if err != nil {
		return err
	}
	state, _ := head.State()
	leaves, end, err := s.leavesOf(ctx, userID, head.Count)
	if err != nil {
		return err
	}
	prover, err := s.prove(ctx, head, leaves)
	if err != nil {
		return err
	}
	statement := chain.Head{At: s.now(), Purpose: chain.OfUser, User: userID, UserCount: end.Count, UserHash: end.Hash,
		UserRemoved: end.Count - int64(len(leaves))}
	first := chain.First{Format: chain.FormatUser, Head: chain.Sign(key, state, statement)}
	first.Head.Peaks = nil
	w := bufio.NewWriterSize(out, 64<<10)
	if _, err := w.Write(first.AppendJSON(nil)); err != nil {
		return err
	}
	if err := s.exportUserRows(ctx, w, userID, head.Count, prover); err != nil {
		return err
	}
	return w.Flush()
}

// leavesOf returns the places of a user's entries in the tree, and where the user's chain
// ended when the log had count entries.
func (s *Service) leavesOf(ctx context.Context, userID string, count int64) (leaves []int64, end chain.UserEnd, err error) {
	for after := int64(0); ; {
		rows, err := s.Store.AuditRowsOf(ctx, userID, after, pageRows)
		if err != nil {
			return nil, end, err
		}
		for i := range rows {
			if after = rows[i].Seq; after > count {
				return leaves, end, nil
			}
			if want := end.Count + 1; len(leaves) > 0 && rows[i].UserSeq != want {
				return nil, end, fmt.Errorf("%w: entry %d of the user is missing", ErrTampered, want)
			}
			leaves, end = append(leaves, after-1), chain.UserEnd{Count: rows[i].UserSeq, Hash: rows[i].Stored}
		}
		if len(rows) == pageRows {
			continue
		}
		ends, err := s.Store.AuditUsers(ctx, []string{userID})
		if err != nil {
			return nil, end, err
		}
		switch stored := ends[userID]; {
		case len(leaves) == 0:
			return nil, stored, nil // none, or all were removed
		case stored.Count < end.Count || stored.Count == end.Count && stored.Hash != end.Hash:
			return nil, end, fmt.Errorf("%w: the end of the user's entries is another one", ErrTampered)
		case stored.Count > end.Count:
			// Chained since, or cut off: what was chained since is in the log by now.
			more, err := s.Store.AuditRowsOf(ctx, userID, count, 1)
			if err == nil && (len(more) == 0 || more[0].UserSeq != end.Count+1) {
				err = fmt.Errorf("%w: the last entries of the user are missing", ErrTampered)
			}
			return leaves, end, err
		}
		return leaves, end, nil
	}
}

// prove reads the hashes of the log and collects the proofs of some entries.
func (s *Service) prove(ctx context.Context, head chain.Signed, leaves []int64) (*chain.Prover, error) {
	public, err := s.PublicKey(ctx)
	if err != nil {
		return nil, err
	}
	begin, err := s.begin(ctx, s.Store, public)
	if err != nil {
		return nil, err
	}
	var state chain.State
	if begin != nil {
		state, _ = begin.State()
	}
	prover := chain.NewProver(state.Tree, head.Count, leaves)
	for after := state.Count; after < head.Count; {
		hashes, err := s.Store.AuditHashes(ctx, after, pageHashes)
		if err != nil {
			return nil, err
		}
		for _, row := range hashes[:min(int64(len(hashes)), head.Count-after)] {
			prover.Add(row.Stored)
		}
		if after += int64(len(hashes)); len(hashes) == 0 {
			break
		}
	}
	if root, err := prover.Finish(); err != nil || root != head.Root {
		return nil, fmt.Errorf("%w: export the whole log, and samla audit verify names the entry; if old entries were removed just now, export again", ErrTampered)
	}
	return prover, nil
}

func (s *Service) exportUserRows(ctx context.Context, w io.Writer, userID string, count int64, prover *chain.Prover) error {
	var line []byte
	for after := int64(0); ; {
		rows, err := s.Store.AuditRowsOf(ctx, userID, after, pageRows)
		if err != nil {
			return err
		}
		for i := range rows {
			if after = rows[i].Seq; after > count {
				return nil
			}
			rows[i].Proof = prover.Proof(after - 1)
			line = rows[i].AppendJSON(line[:0])
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
	}
}
