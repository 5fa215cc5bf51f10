package samla

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// What polling does when the server cannot be asked. A status is asked for again after
// failures of the network and of the server, at growing distances.
const (
	failuresMost = 6
	failureWait  = 500 * time.Millisecond // doubled by each failure
	failureLimit = 10 * time.Second
)

// await polls a status until done says that it is final. It waits as long as the server
// recommends, and up to a tenth longer so that clients do not ask in step; after a refusal
// as long as Retry-After says. A change of wake asks at once.
func await[T any](ctx context.Context, wake <-chan struct{}, poll func() (T, error), done func(T) (every *int32, ended bool)) (last T, err error) {
	for failures := 0; ; {
		now, err := poll()
		wait, again := time.Duration(0), false
		if err == nil {
			failures, last = 0, now
			every, ended := done(now)
			if ended || every == nil {
				return now, nil
			}
			wait = time.Duration(*every) * time.Millisecond
		} else if wait, again = retry(err, failures); again && ctx.Err() == nil {
			failures++
		} else {
			return last, err
		}
		timer := time.NewTimer(wait + time.Duration(jitter()*float64(wait)/10))
		select {
		case <-timer.C:
		case <-wake:
		case <-ctx.Done():
			timer.Stop()
			return last, ctx.Err()
		}
		timer.Stop()
	}
}

// retry says whether to ask again after so many failures, and when.
func retry(err error, failures int) (wait time.Duration, again bool) {
	wait = min(failureWait<<min(failures, failuresMost), failureLimit)
	var p *Problem
	if errors.As(err, new(unanswered)) {
		return 0, false
	}
	if errors.As(err, &p) {
		if p.Document.Status != http.StatusTooManyRequests && p.Document.Status < http.StatusInternalServerError {
			return 0, false
		}
		wait = max(wait, p.RetryAfter)
	}
	return wait, failures < failuresMost
}

// unanswered is the error of a person's answer. Polling does not go on after it.
type unanswered struct{ error }

// Unwrap returns what was the matter.
func (u unanswered) Unwrap() error { return u.error }
