package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"samla/internal/collection"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
)

// flushEvery is how long an answer may be in memory only while the person is
// there. A run that is shorter writes its answers together with its result, in
// one commit; a longer one loses at most this much to a crash and never asks the
// bank for the rest again. Answers without the person are written at once: the
// bank counts those reads, and few are allowed.
const flushEvery = 500 * time.Millisecond

func rawPlace(collectionID string, seq int) seal.Place {
	return seal.Place{Table: "raws", Column: "sealed", Row: collectionID + "/" + strconv.Itoa(seq)}
}

// keep remembers an answer and writes down what has been in memory too long.
func (r *reading) keep(ctx context.Context, a institution.Answer) error {
	r.mu.Lock()
	r.known[a.Query] = a
	r.unsaved = append(r.unsaved, a)
	due := !r.c.Attended || r.Clock.Now().Sub(r.flushed) >= flushEvery
	r.mu.Unlock()
	if !due {
		return nil
	}
	return r.flush(ctx)
}

// flush writes down what is in memory only, and claims the row for another lease.
// It is store.ErrConflict when somebody else has ended the collection or reads it
// by now: nothing is kept of it then, and nothing more is to be asked.
func (r *reading) flush(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	raws, err := r.raws(ctx)
	if err != nil || len(raws) == 0 {
		return err
	}
	claim := r.c
	claim.WakeAt = r.Clock.Now().Add(jobs.Lease)
	claimed := claim
	err = r.Store.Write(ctx, func(tx store.Tx) (err error) {
		if claimed, err = tx.PutCollection(ctx, claim); err != nil {
			return err
		}
		return addRaws(ctx, tx, raws)
	})
	if err != nil {
		return err
	}
	r.c.Rev, r.c.WakeAt = claimed.Rev, claimed.WakeAt
	r.saved += len(raws)
	r.unsaved, r.flushed = nil, r.Clock.Now()
	return nil
}

// raws seals what is not written down yet. The caller holds the lock, or is the
// only one left.
func (r *reading) raws(ctx context.Context) ([]collection.RawAnswer, error) {
	raws := make([]collection.RawAnswer, len(r.unsaved))
	for i, a := range r.unsaved {
		plain, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("write a bank's answer: %w", err)
		}
		seq := r.saved + i
		sealed, err := r.Vault.Seal(ctx, r.c.Subject(), rawPlace(r.c.ID, seq), plain)
		if err != nil {
			return nil, err
		}
		raws[i] = collection.RawAnswer{CollectionID: r.c.ID, Seq: seq, Kind: string(a.Query.Kind),
			Mapping: r.source.Mapping(), FetchedAt: a.FetchedAt, Sealed: sealed}
	}
	return raws, nil
}

// addRaws stores answers. One that is there already was stored by another look
// at the same collection: that look goes on, and this one loses.
func addRaws(ctx context.Context, tx store.Tx, raws []collection.RawAnswer) error {
	err := tx.AddRawAnswers(ctx, raws)
	if errors.Is(err, store.ErrExists) {
		return store.ErrConflict
	}
	return err
}

// resume takes up what an earlier look has written down.
func (r *reading) resume(ctx context.Context) error {
	raws, err := r.Store.RawAnswers(ctx, r.c.ID)
	if err != nil {
		return err
	}
	for _, raw := range raws {
		plain, err := r.Vault.Open(ctx, r.c.Subject(), rawPlace(r.c.ID, raw.Seq), raw.Sealed)
		if err != nil {
			return err
		}
		var a institution.Answer
		if err := json.Unmarshal(plain, &a); err != nil {
			return fmt.Errorf("read a stored answer: %w", err)
		}
		r.known[a.Query] = a
		r.saved = max(r.saved, raw.Seq+1)
	}
	return nil
}
