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

// exchange gets the answer to a question and reads it. stored is the answer of an
// earlier run, nil when there is none.
func (c *crawl) exchange(ctx context.Context, q institution.Question, stored *institution.Answer) outcome {
	o := outcome{question: q}
	a := stored
	if a == nil {
		fetched, err := c.ask(ctx, q)
		switch {
		case err != nil && ctx.Err() != nil:
			o.err = errStopped
			return o
		case err != nil:
			o.err = err
			return o
		}
		a, o.answer = &fetched, &fetched
	}
	o.size = len(a.Body)
	o.reading, o.err = c.from.Read(*a)
	return o
}

// ask asks a question, and again where the failure may pass.
func (c *crawl) ask(ctx context.Context, q institution.Question) (institution.Answer, error) {
	for try := 1; ; try++ {
		if err := c.permitted(ctx); err != nil {
			return institution.Answer{}, err
		}
		a, err := c.from.Fetch(ctx, c.access, q)
		if err == nil || try == tries || !institution.KindOf(err).Passing() {
			return a, err
		}
		if clock.Sleep(ctx, c.Clock, waitAfter(try, err)) != nil {
			return a, err
		}
	}
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
