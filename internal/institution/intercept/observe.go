package intercept

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/institution"
)

// Outcome is a call that has ended.
type Outcome struct {
	Call
	At       time.Time // when it ended
	Duration time.Duration
	// Cancelled: this server cancelled the call before the institution answered. The
	// call says nothing about the institution; Kind and Attribution are empty.
	Cancelled   bool
	Kind        institution.ErrorKind // "" if the call succeeded
	Reason      institution.Reason    // why it failed, also if it was cancelled for want of memory; may be empty
	Attribution fault.Attribution     // of Kind
}

// Observer receives every call that has ended, including those that failed. Observe
// must return quickly and be safe for concurrent use.
type Observer interface {
	Observe(o Outcome)
}

// Observe returns an interceptor that reports every call to the observers. After
// Limit, it measures only the institution, without the wait for a slot.
func Observe(clk clock.Clock, observers ...Observer) Interceptor {
	return func(ctx context.Context, c Call, do func(context.Context) error) error {
		started := clk.Now()
		err := do(ctx)
		now := clk.Now()
		o := Outcome{Call: c, At: now, Duration: now.Sub(started), Reason: institution.ReasonOf(err)}
		switch {
		case cancelled(ctx, err):
			o.Cancelled = true
		case err != nil:
			o.Kind = institution.KindOf(err)
			o.Attribution = o.Kind.Attribution()
		}
		for _, observer := range observers {
			observer.Observe(o)
		}
		return err
	}
}

// cancelled reports whether a call failed because this server cancelled it. An error
// with an HTTP status is an answer of the institution.
func cancelled(ctx context.Context, err error) bool {
	if err == nil {
		return false
	}
	var failed *institution.Error
	if errors.As(err, &failed) && (failed.HTTPStatus != 0 || failed.Reason == institution.NoRoom) {
		return failed.Reason == institution.NoRoom
	}
	return ctx.Err() != nil || errors.Is(err, context.Canceled)
}

// Health returns an observer that counts outcomes in h. What a person caused is no failure:
// a person who cancels says nothing about the institution.
func Health(h *company.Health) Observer { return health{h} }

type health struct{ *company.Health }

// Observe implements Observer.
func (h health) Observe(o Outcome) {
	if !o.Cancelled {
		h.Record(o.Company, o.Subject, outcomeOf(o), o.At)
	}
}

func outcomeOf(o Outcome) company.Outcome {
	switch {
	case o.Attribution == fault.ByBank:
		return company.FailedThere
	case o.Attribution == fault.BySamla:
		return company.FailedHere
	case o.Duration >= company.SlowAfter:
		return company.Slow
	default:
		return company.Served
	}
}
