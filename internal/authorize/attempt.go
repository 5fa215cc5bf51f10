package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
)

// giveUpOpening is how long a bank that cannot be reached is tried before the
// person, who is waiting at a screen, is told.
const giveUpOpening = 30 * time.Second

// announce stores that a call which makes something is about to be sent, at a
// bank that would make a second one of a repeat.
func (v *visit) announce(ctx context.Context, e consent.Event) error {
	if v.bank.Profile.ReplaySafe {
		return nil
	}
	return v.apply(ctx, e, v.wakeWhileWorking())
}

// outcomeUnknown ends a consent whose call was announced by a process that died:
// the call may have been sent and must not be sent again.
func (v *visit) outcomeUnknown(ctx context.Context) (bool, error) {
	return false, v.apply(ctx, consent.FailedWith{Code: consent.BankUnavailable}, v.Clock.Now())
}

// tryAgain decides what follows a failed call that makes something: the same
// request again where that is safe and there is still time, or the end.
func (v *visit) tryAgain(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	now, kind := v.Clock.Now(), institution.KindOf(cause)
	if kind.Transient() && (v.bank.Profile.ReplaySafe || notSent(cause)) {
		if wait, inTime := v.nextAttempt(cause, now); inTime {
			return v.attemptAt(ctx, now.Add(wait))
		}
	}
	v.Log.Info("a bank did not open a consent", "company", v.c.Company, "consent", v.c.ID, "error", cause)
	failed := consent.FailedWith{Code: failureOf(kind)}
	if v.secret.RemoteID == "" && !mayHaveOpened(cause) {
		failed.Cause = consent.CauseBankRejected
	}
	return v.apply(ctx, failed, now)
}

// nextAttempt returns the wait before the next attempt and reports whether it
// falls into the time that the person is left waiting.
func (v *visit) nextAttempt(cause error, now time.Time) (wait time.Duration, inTime bool) {
	age := now.Sub(v.c.CreatedAt)
	wait = clock.Backoff(int(age/(4*giveUpOpening/30))+1, giveUpOpening/30, giveUpOpening/4)
	var said *institution.Error
	if errors.As(cause, &said) {
		wait = max(wait, said.RetryAfter)
	}
	return wait, age+wait < giveUpOpening
}

// attemptAt stores when the same request is sent again, and takes back what was
// announced.
func (v *visit) attemptAt(ctx context.Context, at time.Time) error {
	if !v.bank.Profile.ReplaySafe {
		return v.apply(ctx, consent.Unsent{}, at)
	}
	if v.openSent == v.secret.OpenSent {
		return v.later(ctx, at)
	}
	v.secret.OpenSent = v.openSent
	c, err := v.sealed(ctx, v.c, v.secret)
	if err != nil {
		return err
	}
	v.c, err = v.save(ctx, v.c, c, at)
	return err
}

// notSent reports whether the bank cannot have received the request that failed.
func notSent(cause error) bool {
	var said *institution.Error
	return errors.As(cause, &said) && said.NotSent
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
