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

// saveEvery is how long an answer may be in memory only while the person is
// there. A run that is shorter writes its answers together with its result, in
// one commit; a longer one loses at most this much to a crash and does not ask
// for the rest again. Answers without the person are written at once: the
// institution counts those reads, and allows few.
const saveEvery = 500 * time.Millisecond

// saveBytes is how much of the answers may be in memory only.
const saveBytes = 4 << 20

// journal keeps the answers of one collection, sealed, so that another process
// can go on with it. It is used by one goroutine.
type journal struct {
	*Service
	c       collection.Collection // as last committed
	mapping int

	stored  map[institution.Question]institution.Answer // of earlier runs, not recalled yet
	unsaved []institution.Answer
	bytes   int // of unsaved
	saved   int // answers written so far; the Seq of the next
	savedAt time.Time
}

func newJournal(s *Service, c collection.Collection, mapping int) *journal {
	return &journal{Service: s, c: c, mapping: mapping, savedAt: s.Clock.Now(),
		stored: map[institution.Question]institution.Answer{}}
}

func rawPlace(collectionID string, seq int) seal.Place {
	return seal.Place{Table: "raws", Column: "sealed", Row: collectionID + "/" + strconv.Itoa(seq)}
}

// load reads the answers that earlier runs have written. An answer in the form
// of an earlier version names no question: its question is asked again.
func (j *journal) load(ctx context.Context) error {
	raws, err := j.Store.RawAnswers(ctx, j.c.ID)
	if err != nil {
		return err
	}
	for _, raw := range raws {
		plain, err := j.Vault.Open(ctx, j.c.Subject(), rawPlace(j.c.ID, raw.Seq), raw.Sealed)
		if err != nil {
			return err
		}
		var a institution.Answer
		if err := json.Unmarshal(plain, &a); err != nil {
			return fmt.Errorf("read answer %d of a collection: it does not parse", raw.Seq) // err quotes it
		}
		j.saved = max(j.saved, raw.Seq+1)
		if a.Question.Kind != "" {
			j.stored[a.Question] = a
		}
	}
	return nil
}

// recall returns the stored answer to a question, nil when there is none. It
// returns an answer once, so that the memory for it is free afterwards.
func (j *journal) recall(q institution.Question) *institution.Answer {
	a, known := j.stored[q]
	if !known {
		return nil
	}
	delete(j.stored, q)
	return &a
}

// keep takes a new answer, to be written later.
func (j *journal) keep(a institution.Answer) {
	j.unsaved = append(j.unsaved, a)
	j.bytes += len(a.Body)
}

// saveIfDue writes the new answers where they should not wait any longer.
func (j *journal) saveIfDue(ctx context.Context) error {
	now := j.Clock.Now()
	if j.c.Attended && j.bytes < saveBytes && now.Sub(j.savedAt) < saveEvery {
		return nil
	}
	return j.save(ctx, now.Add(jobs.Lease))
}

// save writes the new answers, and when the collection is due next. It is
// store.ErrConflict when the collection was ended, or is read by another run, by
// now: then nothing is kept of it, and nothing more should be asked.
func (j *journal) save(ctx context.Context, wake time.Time) error {
	raws, err := j.seal(ctx)
	if err != nil {
		return err
	}
	next := j.c
	next.WakeAt = wake
	var after collection.Collection
	err = j.Store.Write(ctx, func(tx store.Tx) (err error) {
		if after, err = tx.PutCollection(ctx, next); err != nil {
			return err
		}
		return addRaws(ctx, tx, raws)
	})
	if err != nil {
		return err
	}
	j.c, j.saved = after, j.saved+len(raws)
	j.unsaved, j.bytes, j.savedAt = nil, 0, j.Clock.Now()
	return nil
}

// seal seals the new answers.
func (j *journal) seal(ctx context.Context) ([]collection.RawAnswer, error) {
	raws := make([]collection.RawAnswer, len(j.unsaved))
	for i, a := range j.unsaved {
		plain, err := json.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("write an answer: %w", err)
		}
		seq := j.saved + i
		sealed, err := j.Vault.Seal(ctx, j.c.Subject(), rawPlace(j.c.ID, seq), plain)
		if err != nil {
			return nil, err
		}
		raws[i] = collection.RawAnswer{CollectionID: j.c.ID, Seq: seq, Kind: a.Question.Kind,
			Mapping: j.mapping, FetchedAt: a.FetchedAt, Sealed: sealed}
	}
	return raws, nil
}

// addRaws stores answers. One that is there already was stored by another run of
// the same collection: that run goes on, and this one loses.
func addRaws(ctx context.Context, tx store.Tx, raws []collection.RawAnswer) error {
	err := tx.AddRawAnswers(ctx, raws)
	if errors.Is(err, store.ErrExists) {
		return store.ErrConflict
	}
	return err
}
