package authorize

import (
	"context"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/institution"
)

// How long what a bank gives only once, such as tokens, is held in memory while the store has
// an outage, and how often it is tried to store it. A failover of a database takes less.
const (
	holdFor     = 2 * time.Minute
	firstHold   = 100 * time.Millisecond
	longestHold = time.Second
)

// stored calls write, which stores what a bank has given, until it succeeds, or fails by
// something else than an outage of the store, or holdFor is over, or the service stops. write
// is called again with what it has stored already if only the answer of the store was lost: it
// must be a compare-and-swap.
func (s *Service) stored(c consent.Consent, write func() error) error {
	end := s.Clock.Now().Add(holdFor)
	for failed := 1; ; failed++ {
		err := write()
		if err == nil || s.OutageOf(err) == "" || !s.Clock.Now().Before(end) {
			return err
		}
		if failed == 1 {
			s.Log.Warn("what a bank has given cannot be stored and is held", "company", c.Company, "consent", c.ID, "error", err)
		}
		if clock.Sleep(s.running, s.Clock, clock.Backoff(failed, firstHold, longestHold)) != nil {
			return err
		}
	}
}

// completedOnce stores the result of an exchange. If another handler was taken for the one
// that makes the exchange, because this one was late, the result is stored all the same: the
// other one cannot get another.
func (j *job) completedOnce(ctx context.Context, exchange string, done institution.Completed) (more bool, err error) {
	err = j.stored(j.c, func() (err error) {
		more, err = j.completed(ctx, exchange, done)
		return err
	})
	return more, err
}

// adopts takes the row as another handler has written it, if it still waits for the result of
// the same exchange.
func (j *job) adopts(ctx context.Context, exchange string) bool {
	c, err := j.Store.Consent(ctx, j.c.ID)
	if err != nil || c.Step != consent.StepComplete {
		return false
	}
	secret, err := j.openSecret(ctx, c)
	if err != nil || secret.Exchange == nil || secret.Exchange.ID != exchange {
		return false
	}
	j.c = c
	return true
}
