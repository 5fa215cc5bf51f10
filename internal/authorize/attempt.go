package authorize

import (
	"context"
	"errors"
	"net/http"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
)

// giveUpOpening is how long a bank that cannot be reached is tried before the
// consent fails. The person is waiting at a screen.
const giveUpOpening = 30 * time.Second

// openTime is the default of Deps.OpenTime. It has room for the last attempt.
const openTime = time.Minute

// openBy returns when a consent fails that the bank has not opened, and whose
// authorization it has not started, whatever the bank does.
func (s *Service) openBy(c consent.Consent) time.Time { return c.CreatedAt.Add(s.OpenTime) }

// openingOverdue reports whether the time of an opening is over.
func (j *job) openingOverdue() bool {
	return j.c.Status == consent.Initiated && !j.Clock.Now().Before(j.openBy(j.c))
}

// endOverdue ends a consent whose opening is overdue.
func (j *job) endOverdue(ctx context.Context) error {
	j.Log.Info("a bank did not open a consent in time", "company", j.c.Company, "consent", j.c.ID)
	return j.end(ctx, consent.FailedWith{Code: consent.BankUnavailable})
}

// untilOpenBy returns a context that ends with the time of the opening. Another
// authorization after the first has the same time, from when it was decided on.
func (j *job) untilOpenBy(ctx context.Context) (context.Context, context.CancelFunc) {
	end := j.openBy(j.c)
	if j.c.Status == consent.AwaitingAuthorization {
		end = j.secret.StartedAt.Add(j.OpenTime)
	}
	return context.WithTimeout(ctx, end.Sub(j.Clock.Now()))
}

// repeatable reports whether a call that opens or authorizes may be sent again after a
// crash. With the tokens of a login it may not: the row does not tell whether the consent
// that follows the login was opened already.
func (j *job) repeatable() bool { return j.bank.Profile.ReplaySafe && !j.secret.LoginDone }

// announce stores that a call is about to be sent, at a bank that would create a
// second consent or authorization if the call were repeated.
func (j *job) announce(ctx context.Context, e consent.Event) error {
	if j.repeatable() {
		return nil
	}
	return j.apply(ctx, e, j.leaseEnd())
}

// outcomeUnknown goes on after a call that was announced by a process that died: the
// call may have been sent and must not be sent again. That ends the consent, unless the
// call was to start another authorization: there is still the one before it.
func (j *job) outcomeUnknown(ctx context.Context) (more bool, err error) {
	if j.c.Step == consent.StepAuthorizing && j.c.Status == consent.AwaitingAuthorization {
		return j.watchAgain(ctx, errOutcomeUnknown)
	}
	return false, j.apply(ctx, consent.FailedWith{Code: j.failureWithout(consent.BankUnavailable)}, j.Clock.Now())
}

var errOutcomeUnknown = errors.New("the outcome of the request is not known")

// failureWithout returns the failure of a consent that the bank did not open or
// authorize: code, or that the person did not sign in time where a first authorization
// was offered.
func (j *job) failureWithout(code consent.FailureCode) consent.FailureCode {
	if j.c.Status == consent.AwaitingAuthorization && !j.secret.LoginDone {
		return consent.AuthenticationTimeout
	}
	return code
}

// tryAgain decides what follows a failed call that opens or authorizes: the same
// request again where that is safe and there is still time, the authorization before
// it, or the end.
func (j *job) tryAgain(ctx context.Context, cause error) (more bool, err error) {
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	now, kind := j.Clock.Now(), institution.KindOf(cause)
	if notHandled(cause) || kind.Transient() && (j.repeatable() || notSent(cause)) {
		if wait, inTime := j.nextAttempt(cause, now); inTime {
			return false, j.attemptAt(ctx, now.Add(wait))
		}
	}
	opens := j.c.Step == consent.StepOpen || j.c.Step == consent.StepOpening
	if j.c.Status == consent.AwaitingAuthorization && j.secret.RemoteID != "" && !opens && (!j.secret.LoginDone || j.secret.Renewed > 0) {
		return j.watchAgain(ctx, cause)
	}
	j.Log.Info("a bank did not open a consent", "company", j.c.Company, "consent", j.c.ID, "error", cause)
	failed := consent.FailedWith{Code: j.failureWithout(failureOf(kind))}
	if j.secret.RemoteID == "" && !mayHaveOpened(cause) && !notHandled(cause) {
		failed.Cause = consent.CauseBankRejected
	}
	return false, j.apply(ctx, failed, now)
}

// nextAttempt returns the wait before the next attempt, and reports whether that
// is within giveUpOpening.
func (j *job) nextAttempt(cause error, now time.Time) (wait time.Duration, inTime bool) {
	since := j.c.CreatedAt
	if j.c.Status == consent.AwaitingAuthorization {
		since = j.secret.StartedAt
	}
	return j.nextAttemptSince(since, cause, now)
}

// nextAttemptSince is nextAttempt of a call that is tried since then.
func (j *job) nextAttemptSince(since time.Time, cause error, now time.Time) (wait time.Duration, inTime bool) {
	age := now.Sub(since)
	wait = clock.Backoff(int(age/(4*giveUpOpening/30))+1, giveUpOpening/30, giveUpOpening/4)
	var failed *institution.Error
	if errors.As(cause, &failed) {
		wait = max(wait, failed.RetryAfter)
	}
	return wait, age+wait < min(giveUpOpening, j.OpenTime)
}

// attemptAt stores when the same request is sent again. A call that was announced
// was not sent.
func (j *job) attemptAt(ctx context.Context, at time.Time) error {
	if !j.repeatable() {
		return j.apply(ctx, consent.Unsent{}, at)
	}
	if j.openSent == j.secret.OpenSent {
		return j.reschedule(ctx, at)
	}
	j.secret.OpenSent = j.openSent
	c, err := j.sealSecret(ctx, j.c, j.secret)
	if err != nil {
		return err
	}
	j.c, err = j.save(ctx, j.c, c, at)
	return err
}

// notHandled reports whether the bank has answered that it did not handle the request,
// because it has too much to do or is closed for now.
func notHandled(err error) bool {
	var failed *institution.Error
	return errors.As(err, &failed) && (failed.Kind == institution.Busy || failed.HTTPStatus == http.StatusServiceUnavailable)
}

// notSent reports whether the bank cannot have received the request that failed.
func notSent(cause error) bool {
	var failed *institution.Error
	return errors.As(cause, &failed) && failed.NotSent
}

func otherDevice(c consent.Consent) bool {
	return company.DeviceOf(c.LoginMethod) != company.SameDevice
}

// failureOf maps a bank's failure to what the client is told (docs/reference/api.md 4.1).
func failureOf(kind institution.ErrorKind) consent.FailureCode {
	switch kind {
	case institution.Unreachable, institution.Busy:
		return consent.BankUnavailable
	case institution.Conflict:
		return consent.AuthenticationConflict
	case institution.PersonRefused, institution.ConsentGone, institution.ConsentOver, institution.NotCovered:
		return consent.Rejected
	case institution.SCARequired:
		return consent.AuthenticationFailed
	case institution.CertificateRejected:
		return consent.InternalError
	default:
		return consent.BankError
	}
}
