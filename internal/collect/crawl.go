package collect

import (
	"cmp"
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/listing"
	"samla/internal/psu"
)

// crawl asks the questions of one collection until none is left. One goroutine owns
// its state; exchanges run concurrently, at most parallel at once.
type crawl struct {
	*Service
	*frontier
	journal    *journal
	consent    consent.ID // empty: a login
	journalID  string     // of the collection
	attended   bool
	created    time.Time // when the collection began; exchanges must not read the journal
	from       institution.Collector
	bearer     *bearer
	person     psu.Number // empty if it is not known
	until      time.Time  // the deadline
	parallel   int
	room       *room // of the answers in memory
	notes      chan note
	deviations deviation.Counts
	cancelled  bool  // a question was cancelled at the end of the run: the next run asks it
	essential  bool  // one of these is essential
	exceeded   error // an essential question was refused by a limit of the institution
}

func newCrawl(s *Service, r *room, j *journal, under consent.Consent, i institution.Institution, a institution.Access, person psu.Number) *crawl {
	start := i.Collector.Start(under.Scope(), cmp.Or(j.secret.From, historyFrom(j.c, under, i.Profile, a.PSU)))
	f := newFrontier(under.Scope(), search(j.c, under, i.Company), start)
	f.bounds.accountTime = s.readTimeOf(j.c) / 2
	return &crawl{Service: s, frontier: f,
		journal: j, journalID: j.c.ID, consent: under.ID, attended: j.c.Attended, created: j.c.Began(), until: s.deadline(j.c, under),
		from: i.Collector, bearer: s.newBearer(a, under), person: person, parallel: max(1, i.Profile.Parallel), room: r, notes: make(chan note)}
}

// search returns which accounts a collection reads. Accounts of a collection without a
// user get the ids of the client.
func search(c collection.Collection, under consent.Consent, at company.Company) listing.Search {
	owner := "user/" + c.UserID
	if c.UserID == "" {
		owner = "client/" + c.ClientID
	}
	return listing.Search{Owner: owner, Company: at, Granted: under.Scope().AccountIDs,
		Asked: len(under.Requested.AccountIDs) > 0, Filter: c.Filter}
}

// outcome is the result of a question.
type outcome struct {
	question institution.Question
	answer   *institution.Answer // nil: no new answer; without its body
	packed   packed              // the answer
	size     int                 // bytes of the answer
	reading  institution.Reading
	err      error                 // why there is no reading
	instead  *institution.Question // to ask in place of the question, which was refused
	prepared int                   // the tries so far, if the institution is preparing the answer
	retryAt  time.Time             // when to ask again, if it was preparing the answer at last
}

// errCancelled is the error of a question that this server cancelled. It says nothing
// about the institution.
var errCancelled = errors.New("collect: the question was cancelled")

// errNotCounted is the error of a cancelled question that the institution cannot have
// counted. The next run asks it, also in an unattended collection.
var errNotCounted = errors.New("collect: the question was cancelled before it was counted")

// run asks all questions. It returns the error of an essential question, an error that
// ends the collection, or the error of ctx when questions are left. Other failures are
// counted as deviations.
func (c *crawl) run(ctx context.Context) error {
	work, stop := c.workContext(ctx)
	waits, stopWaits := c.withDeadline(ctx)
	outcomes := make(chan outcome, c.parallel)
	inFlight := 0
	shown := c.Clock.NewTimer(saveInterval) // then the status is stored, for those who poll
	defer shown.Stop()
	defer func() {
		stopWaits()
		stop()
		for ; inFlight > 0; inFlight-- {
			c.journal.add(<-outcomes)
		}
	}()
	for {
		if ctx.Err() == nil {
			c.now = c.Clock.Now()
			questions, beyond := c.take(c.parallel - inFlight)
			c.countSkipped(beyond)
			tasks, err := c.journal.prepare(ctx, questions, c.overdue())
			if err != nil {
				return err
			}
			for _, t := range tasks {
				t.reduced = c.nodes[t.question].reduced
				inFlight++
				go func() { outcomes <- c.answer(ctx, work, waits, t) }()
			}
		}
		if inFlight == 0 {
			if c.empty() && !c.cancelled {
				return c.nothingRead()
			}
			if c.overdue() {
				return c.giveUpRest()
			}
			return ctx.Err()
		}
		select {
		case o := <-outcomes:
			inFlight--
			if err := c.addOutcome(o); err != nil {
				return err
			}
		case n := <-c.notes:
			if err := c.journal.noteTries(ctx, n); err != nil {
				return err
			}
			close(n.stored)
		case <-shown.C():
			if err := c.journal.begin(ctx); err != nil {
				return err
			}
		}
	}
}

// finishWithin is how long an unattended exchange may continue after the time of its
// run is over. The lease was renewed when the question was asked and lasts longer.
const finishWithin = 4 * time.Second

// workContext returns the context of the exchanges. It ends at the deadline. Before that,
// attended ones end with ctx, and the next run asks again. Unattended ones that are in
// flight are completed, because the institution has counted them.
func (c *crawl) workContext(ctx context.Context) (context.Context, context.CancelFunc) {
	release := func() {}
	if !c.attended {
		end, limited := ctx.Deadline()
		if ctx = context.WithoutCancel(ctx); limited {
			ctx, release = context.WithDeadline(ctx, end.Add(finishWithin))
		}
	}
	work, cancel := c.withDeadline(ctx)
	return work, func() {
		cancel()
		release()
	}
}

// addOutcome processes an outcome. It returns an error only if the run must end.
func (c *crawl) addOutcome(o outcome) error {
	c.journal.add(o)
	switch {
	case o.err == nil:
		c.deviations.Merge(c.addAnswer(o.question, o.size, o.reading))
		c.deviations.Merge(o.reading.Deviations)
	case o.instead != nil:
		c.replace(o.question, *o.instead)
		c.deviations.Add(deviation.RequestReduced, 1)
	case errors.Is(o.err, errCancelled), errors.Is(o.err, errNotCounted):
		c.cancelled = true // others in flight may still end
		c.essential = c.essential || o.question.Essential
	case o.question.Essential && institution.KindOf(o.err) == institution.AccessExceeded:
		// What the others have read, or will read, is not discarded.
		c.exceeded = o.err
		c.deviations.Add(deviation.Unanswered, 1)
	case o.question.Essential || endsCollection(o.err):
		return o.err
	default:
		c.countMissing(o.question, o.err)
	}
	return nil
}

// nothingRead returns the refusal of an essential question if no other one has found an
// account.
func (c *crawl) nothingRead() error {
	if c.exceeded != nil && len(c.found().Accounts) == 0 {
		return c.exceeded
	}
	return nil
}

// giveUpRest counts the questions that are left when the time of a run and the deadline
// are both over. It returns an error if one of them is essential. Without it, a run that
// only reads what earlier ones have stored could be too slow each time.
func (c *crawl) giveUpRest() error {
	switch {
	case c.essential:
		return errOverdue
	case c.cancelled:
		c.deviations.Add(deviation.Unanswered, 1)
	}
	for !c.empty() {
		questions, beyond := c.take(1)
		c.countSkipped(beyond)
		for _, q := range questions {
			if q.Essential {
				return errOverdue
			}
			c.missing(q, errOverdue)
		}
	}
	c.Log.Info("a collection was not read to its end in time", "company", c.journal.c.Company, "collection", c.journal.c.ID)
	return c.nothingRead()
}

// countMissing logs and counts a question that failed.
func (c *crawl) countMissing(q institution.Question, err error) {
	c.Log.Info("a part of a collection could not be read",
		"company", c.journal.c.Company, "collection", c.journal.c.ID, "kind", q.Kind, "error", err)
	c.missing(q, err)
}

func (c *crawl) missing(q institution.Question, err error) {
	if q.Account == "" {
		c.deviations.Add(deviation.Unanswered, 1)
	}
	c.addFailure(q, err) // one about an account is counted at the end, unless another place of the account has the same
}

// countSkipped counts questions that are not asked because of a bound. It logs the
// first one only: an institution can send any number of links.
func (c *crawl) countSkipped(beyond []skipped) {
	first := c.deviations[deviation.Bounded] == 0
	c.deviations.Add(deviation.Bounded, len(beyond))
	if len(beyond) > 0 && first {
		c.Log.Warn("a collection has reached a bound", "company", c.journal.c.Company, "collection", c.journal.c.ID,
			"kind", beyond[0].question.Kind, "bound", beyond[0].bound)
	}
}

// endsCollection reports whether no other question can succeed either after err: the
// institution rejects the consent or our certificate, or the error is our own.
func endsCollection(err error) bool {
	var said *institution.Error
	if !errors.As(err, &said) {
		return true
	}
	switch said.Kind {
	case institution.ConsentGone, institution.ConsentOver, institution.CertificateRejected, institution.TurnNeeded:
		return true
	}
	return false
}

// success returns the status of a collection after its last question.
func (c *crawl) success(products int) collection.Status {
	switch {
	case c.deviations.Incomplete():
		return collection.CompletedPartial
	case products == 0:
		return collection.CompletedEmpty
	}
	return collection.Completed
}
