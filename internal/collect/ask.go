package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
)

// tries is how often one question is asked before it counts as failed.
const tries = 3

// The waits between two tries, unless the institution names one.
const (
	firstWait   = 200 * time.Millisecond
	longestWait = 2 * time.Second
	// longestNamed bounds the wait that the institution names: the person is
	// waiting too.
	longestNamed = 5 * time.Second
)

// errLost is the failure of a question whose outcome is not known.
var errLost = &institution.Error{Kind: institution.Unreachable}

// exchange gets the answer to a question and reads it.
func (c *crawl) exchange(ctx context.Context, t task) outcome {
	o := outcome{question: t.question}
	a := t.stored
	switch {
	case t.lost:
		o.err = errLost
		return o
	case a == nil:
		fetched, err := c.ask(ctx, t.question)
		if err != nil && ctx.Err() != nil {
			err = errStopped
		}
		if o.err = err; err != nil {
			return o
		}
		a, o.answer = &fetched, &fetched
	}
	o.size = len(a.Body)
	o.reading, o.err = c.from.Read(*a)
	return o
}

// ask asks a question, and again where the failure may pass and a repeat costs the
// person nothing.
func (c *crawl) ask(ctx context.Context, q institution.Question) (institution.Answer, error) {
	for try := 1; ; try++ {
		if err := c.permitted(ctx); err != nil {
			return institution.Answer{}, err
		}
		a, err := c.from.Fetch(ctx, c.access, q)
		if err == nil || try == tries || !c.repeatable(err) {
			return a, err
		}
		if clock.Sleep(ctx, c.Clock, waitAfter(try, err)) != nil {
			return a, err
		}
	}
}

// repeatable reports whether a failed question is asked again. Without the person
// an institution allows few reads a day and counts those that it has received,
// whether or not it answered them (RTS art. 36(5)(b)).
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
		return min(said.RetryAfter, longestNamed)
	}
	return clock.Backoff(try, firstWait, longestWait)
}

// errNotPermitted says that the consent ended while it was being read.
var errNotPermitted = errors.New("collect: the consent has ended")

// permitted checks the consent before each question: what was revoked a moment
// ago, here or on another node, is not read any more.
func (c *crawl) permitted(ctx context.Context) error {
	under, err := c.Store.ConsentStatus(ctx, c.consent)
	if err != nil {
		return err
	}
	if under.UserGone || under.Status != consent.Authorized || !c.Clock.Now().Before(under.ExpiresAt) {
		return errNotPermitted
	}
	return nil
}
