package collect

import (
	"context"
	"time"

	"samla/internal/institution"
	"samla/internal/jobs"
)

// An institution can say that it prepares an answer. The question is then asked again, at
// most preparedTries times in all runs. A try is stored before it is made: a run that is
// lost has made one try fewer than what is stored, or as many. A run that ends in order
// takes back the one that it has not made. Other questions cost no write.

// note asks the goroutine of the journal to store the tries of a question, with the next.
type note struct {
	question institution.Question
	tries    int
	stored   chan struct{} // closed when it is
}

// noteTries returns when the tries of a question are stored, or ctx has ended. If they
// cannot be stored, the run ends, and ctx with it.
func (c *crawl) noteTries(ctx context.Context, q institution.Question, tries int) {
	n := note{q, tries, make(chan struct{})}
	select {
	case c.notes <- n:
	case <-ctx.Done():
		return
	}
	select {
	case <-n.stored:
	case <-ctx.Done():
	}
}

// noteTries stores the tries of a question. It does not end with ctx. Errors: those of save.
// After store.ErrConflict another run asks the question: this one does not.
func (j *journal) noteTries(ctx context.Context, n note) error {
	if !j.setTries(n.question, n.tries) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	return j.save(ctx, j.Clock.Now().Add(jobs.Lease))
}

// noteAsked notes that a question will be asked, after so many tries while its answer is
// being prepared. It reports whether that must be stored before.
func (j *journal) noteAsked(q institution.Question, tries int) (due bool) {
	if !j.c.Attended {
		j.asked[digestOf(q)] = true
		due = true
	}
	if tries > 0 {
		j.setTries(q, tries+1)
		due = true
	}
	return due
}

// noteCut keeps how often a question was asked that is cut off, if its answer is being
// prepared, and when it may be asked again (zero: now).
func (j *journal) noteCut(q institution.Question, tries int, retryAt time.Time) {
	if tries > 0 {
		j.setTries(q, tries)
	}
	if !j.cut || retryAt.Before(j.retryAt) {
		j.cut, j.retryAt = true, retryAt
	}
}

// setTries reports whether the number has changed.
func (j *journal) setTries(q institution.Question, tries int) bool {
	digest := digestOf(q)
	if j.secret.Prepared[digest] == tries {
		return false
	}
	if j.secret.Prepared == nil {
		j.secret.Prepared = map[string]int{}
	}
	j.secret.Prepared[digest] = tries
	return true
}
