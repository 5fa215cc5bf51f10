package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// crawl asks the questions of one collection until none is left. One goroutine
// owns its state; the exchanges run beside it, within the institution's limit.
type crawl struct {
	*Service
	*frontier
	journal  *journal
	consent  consent.ID
	attended bool
	from     institution.Collector
	access   institution.Access
	parallel int
	missing  int  // questions without an answer, rows that could not be understood
	bounded  bool // a bound was reached
}

func newCrawl(s *Service, j *journal, under consent.Consent, i institution.Institution, a institution.Access) *crawl {
	start := i.Collector.Start(under.Scope(), historyFrom(j.c, under, i.Profile))
	return &crawl{Service: s, frontier: newFrontier(under.Scope(), j.c.Filter, start),
		journal: j, consent: under.ID, attended: j.c.Attended, from: i.Collector, access: a, parallel: max(1, i.Profile.Parallel)}
}

// outcome is what became of a question.
type outcome struct {
	question institution.Question
	answer   *institution.Answer // nil when none came
	size     int                 // bytes of the answer
	reading  institution.Reading
	err      error // why there is no reading
}

// errStopped is the error of a question that this server gave up. It says
// nothing about the institution.
var errStopped = errors.New("collect: the question was given up")

// run asks everything. It returns the error of a question without which nothing
// can be shown, an error that ends the whole collection, or that of ctx; what
// failed beside that is counted in missing.
func (c *crawl) run(ctx context.Context) error {
	work, stop := c.workContext(ctx)
	outcomes := make(chan outcome, c.parallel)
	inFlight := 0
	defer func() {
		stop()
		for ; inFlight > 0; inFlight-- {
			c.journal.keep(<-outcomes)
		}
	}()
	for {
		if ctx.Err() == nil {
			questions, beyond := c.take(c.parallel - inFlight)
			c.leaveOut(beyond)
			tasks, err := c.journal.prepare(ctx, questions)
			if err != nil {
				return err
			}
			for _, t := range tasks {
				inFlight++
				go func() { outcomes <- c.exchange(work, t) }()
			}
		}
		if inFlight == 0 {
			if c.empty() {
				return nil
			}
			return ctx.Err()
		}
		o := <-outcomes
		inFlight--
		if err := c.settle(o); err != nil {
			return err
		}
	}
}

// finishWithin is how long a question that is asked without the person may go on
// after the time of its run is over. The lease, which was renewed when the
// question was asked, covers it.
const finishWithin = 4 * time.Second

// workContext is the context of the exchanges. With the person they end with ctx:
// the next run asks again. Without the person no answer may be given up that the
// institution has counted: the exchanges that are in flight are finished.
func (c *crawl) workContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.attended {
		return context.WithCancel(ctx)
	}
	work := context.WithoutCancel(ctx)
	if end, limited := ctx.Deadline(); limited {
		return context.WithDeadline(work, end.Add(finishWithin))
	}
	return context.WithCancel(work)
}

// settle takes in an outcome. It returns only what ends the whole run.
func (c *crawl) settle(o outcome) error {
	c.journal.keep(o)
	switch {
	case o.err == nil:
		c.answered(o.question, o.size, o.reading)
		c.missing += o.reading.Skipped
	case o.question.Essential || final(o.err):
		return o.err
	default:
		c.miss(o.question, o.err)
	}
	return nil
}

func (c *crawl) miss(q institution.Question, err error) {
	c.Log.Info("a part of a collection could not be read",
		"company", c.journal.c.Company, "collection", c.journal.c.ID, "kind", q.Kind, "error", err)
	c.missing++
}

// leaveOut counts questions that a bound forbids. It logs the first only: an
// institution may name any number of them.
func (c *crawl) leaveOut(beyond []cut) {
	c.missing += len(beyond)
	if len(beyond) > 0 && !c.bounded {
		c.bounded = true
		c.Log.Warn("a collection has reached a bound", "company", c.journal.c.Company, "collection", c.journal.c.ID,
			"kind", beyond[0].question.Kind, "bound", beyond[0].bound)
	}
}

// final reports whether an error means that nothing else can be read either: the
// institution said so, or the error is this server's own.
func final(err error) bool {
	var said *institution.Error
	if !errors.As(err, &said) {
		return true
	}
	switch said.Kind {
	case institution.ConsentGone, institution.ConsentOver, institution.CertificateRejected:
		return true
	}
	return false
}

// success is the status of a collection whose questions were all asked.
func (c *crawl) success(products int) collection.Status {
	switch {
	case c.missing > 0:
		return collection.CompletedPartial
	case products == 0:
		return collection.CompletedEmpty
	}
	return collection.Completed
}
