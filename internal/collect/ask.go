package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
)

// tries is how often a question is asked at most.
const tries = 3

// The waits between two tries, unless the institution sends a Retry-After.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 2 * time.Second
	// longestRetryAfter limits the wait for a Retry-After: the person is waiting.
	longestRetryAfter = 5 * time.Second
)

// errOutcomeUnknown is the error of a question that an earlier run has asked and that
// must not be repeated.
var errOutcomeUnknown = &institution.Error{Kind: institution.Unreachable}

// answer returns the answer to a question, decoded.
func (c *crawl) answer(ctx context.Context, t task) outcome {
	o := outcome{question: t.question}
	a := t.stored
	switch {
	case t.outcomeUnknown:
		o.err = errOutcomeUnknown
		return o
	case t.overdue:
		o.err = errOverdue
		return o
	case a == nil:
		fetched, err := c.ask(ctx, t.question)
		if o.err = err; err != nil {
			return o
		}
		a, o.answer = &fetched, &fetched
	}
	o.size = len(a.Body)
	o.reading, o.err = c.from.Read(*a)
	return o
}

// ask asks a question. It tries again after a failure that is repeatable. If ctx ends, the
// error is that of tried.cut. A try that was refused here because the institution is
// overloaded does not count: the question waits.
func (c *crawl) ask(ctx context.Context, q institution.Question) (institution.Answer, error) {
	var before tried
	for {
		if err := c.checkConsent(ctx); err != nil {
			if ctx.Err() != nil {
				err = before.cut(ctx)
			}
			return institution.Answer{}, err
		}
		a, err := c.from.Fetch(ctx, c.access, q)
		if err == nil {
			return a, nil
		}
		before.add(err)
		switch {
		case ctx.Err() != nil:
			return a, before.cut(ctx)
		case before.times == tries || !c.repeatable(err):
			return a, err
		}
		if clock.Sleep(ctx, c.Clock, waitAfter(before.times, err)) != nil {
			return a, before.cut(ctx)
		}
	}
}

// tried are the failed tries to ask a question in one run.
type tried struct {
	times int
	sent  bool  // the institution may have received one of them
	late  error // of one that was not answered in time
}

func (t *tried) add(err error) {
	var said *institution.Error
	known := errors.As(err, &said)
	if !known || said.Reason != institution.Overloaded {
		t.times++
	}
	if !known || !said.NotSent {
		t.sent = true
	}
	if known && said.Reason == institution.NoAnswerInTime {
		t.late = err
	}
}

// cut returns the error of a question whose context has ended: errOverdue at the deadline,
// and the error of a try that was not answered in time, if there is one. That try has waited
// as long as an exchange may take. If the next run began again, an institution that hangs
// would keep the collection until its deadline.
func (t *tried) cut(ctx context.Context) error {
	switch {
	case errors.Is(context.Cause(ctx), errOverdue):
		return errOverdue
	case t.late != nil:
		return t.late
	case !t.sent:
		return errNotAsked
	}
	return errCancelled
}

// repeatable reports whether a question may be asked again after err. An institution
// allows few unattended reads a day and counts the requests that it receives, even
// if it does not answer them (RTS art. 36(5)(b)).
func (c *crawl) repeatable(err error) bool {
	var said *institution.Error
	if !errors.As(err, &said) {
		return false
	}
	if c.attended {
		return said.Kind.Transient()
	}
	return said.NotSent
}

func waitAfter(try int, err error) time.Duration {
	var said *institution.Error
	if errors.As(err, &said) && said.RetryAfter > 0 {
		return min(said.RetryAfter, longestRetryAfter)
	}
	return clock.Backoff(try, firstWait, longestWait)
}

// errConsentEnded means that the consent ended during the collection.
var errConsentEnded = errors.New("collect: the consent has ended")

// checkConsent returns errConsentEnded unless the consent is still valid. It is called
// before each question, so that nothing is read after a revocation on any node.
func (c *crawl) checkConsent(ctx context.Context) error {
	under, err := c.Store.ConsentStatus(ctx, c.consent)
	if err != nil {
		return err
	}
	if under.UserAnonymized || under.Status != consent.Authorized || !c.Clock.Now().Before(under.ExpiresAt) {
		return errConsentEnded
	}
	return nil
}
