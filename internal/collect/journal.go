package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	secret  collection.Secret     // what is sealed in c
	asked   map[string]bool       // secret.Asked, as it will be committed next
	mapping int

	stored  map[institution.Question]institution.Answer // of earlier runs, not recalled yet
	unsaved []institution.Answer
	bytes   int // of unsaved
	saved   int // answers written so far; the Seq of the next
	savedAt time.Time
}

func newJournal(s *Service, c collection.Collection, secret collection.Secret, mapping int) *journal {
	j := &journal{Service: s, c: c, secret: secret, mapping: mapping, savedAt: s.Clock.Now(),
		asked: map[string]bool{}, stored: map[institution.Question]institution.Answer{}}
	for _, name := range secret.Asked {
		j.asked[name] = true
	}
	return j
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

// task is a question with what earlier runs know of it.
type task struct {
	question institution.Question
	stored   *institution.Answer
	// lost: an earlier run asked the question without the person being there, and
	// stored no answer. It failed, or the run died.
	lost bool
}

// prepare makes questions ready to be asked. Without the person it first commits
// that they will be asked; the same commit stores the new answers. It does not end
// with ctx: what it is about to commit was decided while there was time.
func (j *journal) prepare(ctx context.Context, questions []institution.Question) ([]task, error) {
	tasks := make([]task, len(questions))
	due := j.due()
	for i, q := range questions {
		tasks[i] = task{question: q}
		a, known := j.stored[q]
		switch {
		case known:
			tasks[i].stored = &a
			delete(j.stored, q) // so that its memory is free once it is read
		case !j.c.Attended && j.asked[nameOf(q)]:
			tasks[i].lost = true
		case !j.c.Attended:
			j.asked[nameOf(q)] = true
			due = true
		}
	}
	if !due {
		return tasks, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	return tasks, j.save(ctx, j.Clock.Now().Add(jobs.Lease))
}

// due reports whether there are new answers that should not wait any longer.
func (j *journal) due() bool {
	return len(j.unsaved) > 0 &&
		(!j.c.Attended || j.bytes >= saveBytes || j.Clock.Now().Sub(j.savedAt) >= saveEvery)
}

// keep takes a new answer, if there is one, to be written later.
func (j *journal) keep(o outcome) {
	if o.answer == nil {
		return
	}
	j.unsaved = append(j.unsaved, *o.answer)
	j.bytes += o.size
	if !j.c.Attended {
		delete(j.asked, nameOf(o.question))
	}
}

// nameOf is a short name of a question, which does not say what is asked.
func nameOf(q institution.Question) string {
	plain, _ := json.Marshal(q) // strings only
	sum := sha256.Sum256(plain)
	return hex.EncodeToString(sum[:12])
}

// save writes the new answers, and when the collection is due next. It is
// store.ErrConflict when the collection was ended, or is read by another run, by
// now: then nothing is kept of it, and nothing more should be asked.
func (j *journal) save(ctx context.Context, wake time.Time) error {
	raws, err := j.seal(ctx)
	if err != nil {
		return err
	}
	next, err := j.next(ctx)
	if err != nil {
		return err
	}
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

// next is the collection as it is committed next: without the person, with the
// questions that are asked.
func (j *journal) next(ctx context.Context) (collection.Collection, error) {
	if j.c.Attended {
		return j.c, nil
	}
	j.secret.Asked = slices.Sorted(maps.Keys(j.asked))
	return j.sealed(ctx, j.c, j.secret)
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
