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
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
)

// saveInterval is how long an answer of an attended collection may be in memory only.
// A shorter run stores its answers together with its result, in one commit. A crash
// of a longer run loses the answers of this interval. Unattended answers are stored
// at once: the institution counts those reads and allows few.
const saveInterval = 500 * time.Millisecond

// saveBytes is how many bytes of answers may be in memory only.
const saveBytes = 4 << 20

// journal stores the answers of one collection, sealed, so that another process can
// continue it. It is used by one goroutine.
type journal struct {
	*Service
	c       collection.Collection // as last stored
	secret  collection.Secret     // the content of c.Sealed
	asked   map[string]bool       // the next secret.Asked
	mapping int
	lineage consent.ID // of the consent
	counted *counters  // nil: nothing is counted here

	stored  map[institution.Question]packed // by earlier runs, not used yet
	order   []institution.Question          // of these, as they were asked
	unsaved []unsavedAnswer
	bytes   int // of the bodies of unsaved
	saved   int // number of stored answers; the Seq of the next
	savedAt time.Time
	written bool      // by this run
	reseal  bool      // the secret has changed
	cut     bool      // a question was cancelled
	retryAt time.Time // the first time at which one may be asked again; zero: now
}

func newJournal(s *Service, c collection.Collection, secret collection.Secret, mapping int) *journal {
	j := &journal{Service: s, c: c, secret: secret, mapping: mapping, savedAt: s.Clock.Now(),
		asked: map[string]bool{}, stored: map[institution.Question]packed{}}
	for _, name := range secret.Asked {
		j.asked[name] = true
	}
	return j
}

func rawPlace(collectionID string, seq int) seal.Place {
	return seal.Place{Table: "raws", Column: "sealed", Row: collectionID + "/" + strconv.Itoa(seq)}
}

// load reads the answers that earlier runs have stored. It ignores answers in the form
// of an earlier version, which have no question: they are asked for again.
// It takes their memory. Errors: errNotRead if ctx ends before there is some.
func (j *journal) load(ctx context.Context, r *room) error {
	size, err := j.Store.RawAnswersSize(ctx, j.c.ID)
	if err != nil {
		return err
	}
	if r.grow(ctx, int(size)) != nil {
		return errNotRead
	}
	raws, err := j.Store.RawAnswers(ctx, j.c.ID)
	if err != nil {
		return err
	}
	for i, raw := range raws {
		raws[i].Sealed = nil // its memory is not needed after it is opened
		plain, err := j.Vault.Open(ctx, j.c.Subject(), rawPlace(j.c.ID, raw.Seq), raw.Sealed)
		if err != nil {
			return err
		}
		q, err := packed(plain).question()
		if err != nil {
			return fmt.Errorf("read answer %d: %w", raw.Seq, err)
		}
		j.saved = max(j.saved, raw.Seq+1)
		if q.Kind != "" {
			j.stored[q] = plain
			j.order = append(j.order, q)
		}
	}
	return nil
}

// unsavedAnswer is an answer that is not stored yet.
type unsavedAnswer struct {
	kind      string
	fetchedAt time.Time
	packed    packed
}

// task is a question to ask, with what earlier runs have stored about it.
type task struct {
	question institution.Question
	stored   packed // nil: none
	// outcomeUnknown: an earlier run of an unattended collection asked the question
	// and stored no answer, because the question failed or the run died.
	outcomeUnknown bool
	exceeded       bool // the quota is used up, so it is not asked
	overdue        bool // the deadline is over, so it is not asked
	neverReady     bool // it was asked preparedTries times, so it is not asked
	prepared       int  // the tries so far, if the institution is preparing the answer
	reduced        int  // the number of larger questions that it is in place of
}

// prepare returns the tasks for questions that are about to be asked. In an unattended
// collection, and of those whose answers are being prepared, it first stores that they
// will be asked, in the same transaction as the new answers. It does not end with ctx,
// which had time left when it was called. Once the deadline is over, only stored answers
// are used.
func (j *journal) prepare(ctx context.Context, questions []institution.Question, overdue bool) ([]task, error) {
	tasks := make([]task, len(questions))
	due := j.due()
	for i, q := range questions {
		tasks[i] = task{question: q}
		if len(j.secret.Prepared) > 0 {
			tasks[i].prepared = j.secret.Prepared[digestOf(q)]
		}
		a, known := j.stored[q]
		switch {
		case known:
			tasks[i].stored = a
			delete(j.stored, q) // its memory is not needed after it is decoded
		case !j.c.Attended && j.asked[digestOf(q)]:
			tasks[i].outcomeUnknown = true
		case overdue:
			tasks[i].overdue = true
		case tasks[i].prepared >= preparedTries:
			tasks[i].neverReady = true
		case !j.c.Attended && !j.counted.take(q, j):
			tasks[i].exceeded = true
		case j.noteAsked(q, tasks[i].prepared):
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

// begin stores the collection, with the answers so far, unless this run has stored it
// already. It does not end with ctx.
func (j *journal) begin(ctx context.Context) error {
	if j.written {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	return j.save(ctx, j.Clock.Now().Add(jobs.Lease))
}

// due reports whether new answers must be stored now.
func (j *journal) due() bool {
	return len(j.unsaved) > 0 &&
		(!j.c.Attended || j.bytes >= saveBytes || j.Clock.Now().Sub(j.savedAt) >= saveInterval)
}

// add adds the new answer of an outcome, if any, to those to store.
func (j *journal) add(o outcome) {
	if errors.Is(o.err, errNotCounted) {
		delete(j.asked, digestOf(o.question))
	}
	if errors.Is(o.err, errNotCounted) || errors.Is(o.err, errCancelled) {
		j.noteCut(o.question, o.prepared, o.retryAt)
	}
	if o.answer == nil {
		return
	}
	j.unsaved = append(j.unsaved, unsavedAnswer{o.question.Kind, o.answer.FetchedAt, o.packed})
	j.bytes += o.size
	if !j.c.Attended {
		delete(j.asked, digestOf(o.question))
	}
}

// digestOf returns a hash of a question. It does not reveal the question.
func digestOf(q institution.Question) string {
	plain, _ := json.Marshal(q) // strings only
	sum := sha256.Sum256(plain)
	return hex.EncodeToString(sum[:12])
}

// save stores the new answers, and when the collection is due next. Errors:
// store.ErrConflict when the collection was ended, or another run has written it. This
// run must then stop.
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
		if after, err = putDue(ctx, tx, next); err != nil {
			return err
		}
		if calls := j.counted.taken(); len(calls) > 0 {
			if err := tx.CountCalls(ctx, j.lineage, j.c.ID, j.Clock.Now(), calls); err != nil {
				return err
			}
		}
		return addRaws(ctx, tx, raws)
	})
	if err != nil {
		return err
	}
	j.counted.stored()
	j.c, j.saved = after, j.saved+len(raws)
	j.unsaved, j.bytes, j.savedAt, j.written = nil, 0, j.Clock.Now(), true
	return nil
}

// next returns the collection to store next. It contains the questions whose answers are
// being prepared; an unattended one also contains the questions in flight.
func (j *journal) next(ctx context.Context) (collection.Collection, error) {
	if j.c.Attended && len(j.secret.Prepared) == 0 && !j.reseal {
		return j.c, nil
	}
	j.secret.Asked = slices.Sorted(maps.Keys(j.asked))
	return j.sealed(ctx, j.c, j.secret)
}

// seal returns the new answers, sealed.
func (j *journal) seal(ctx context.Context) ([]collection.RawAnswer, error) {
	raws := make([]collection.RawAnswer, len(j.unsaved))
	for i, a := range j.unsaved {
		seq := j.saved + i
		sealed, err := j.Vault.Seal(ctx, j.c.Subject(), rawPlace(j.c.ID, seq), a.packed)
		if err != nil {
			return nil, err
		}
		raws[i] = collection.RawAnswer{CollectionID: j.c.ID, Seq: seq, Kind: a.kind,
			Mapping: j.mapping, FetchedAt: a.fetchedAt, Sealed: sealed}
	}
	return raws, nil
}

// addRaws stores answers. Errors: store.ErrConflict when another run of the collection
// has stored answers meanwhile.
func addRaws(ctx context.Context, tx store.Tx, raws []collection.RawAnswer) error {
	err := tx.AddRawAnswers(ctx, raws)
	if errors.Is(err, store.ErrExists) {
		return store.ErrConflict
	}
	return err
}
