package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

const (
	// checkEvery is how often an authorized consent is read at its bank, so that a
	// withdrawal there is noticed within a day (docs/reference/api.md 4.2).
	checkEvery = 24 * time.Hour
	// recheckAfter is when a check that failed is repeated.
	recheckAfter = time.Hour
)

// nextCheck is when an authorized consent is handled again: for the daily check, or
// at its expiry if that is sooner.
func nextCheck(c consent.Consent, now time.Time) time.Time {
	if next := now.Add(checkEvery); next.Before(c.ExpiresAt) {
		return next
	}
	return c.ExpiresAt
}

// checkDaily reads an authorized consent at its bank and ends it if it has ended
// there.
func (j *job) checkDaily(ctx context.Context) (bool, error) {
	now := j.Clock.Now()
	if j.bank.ConsentReader == nil {
		return false, j.reschedule(ctx, nextCheck(j.c, now))
	}
	info, err := j.bank.ConsentReader.Consent(ctx, j.access())
	event := endEvent(info, err)
	if event != nil {
		return false, j.apply(ctx, event, now)
	}
	next := nextCheck(j.c, now)
	if again := now.Add(recheckAfter); err != nil && again.Before(next) {
		next = again
	}
	return false, j.reschedule(ctx, next)
}

// endEvent returns the event that ends an authorized consent, given the bank's
// answer to a read of it; nil when the answer does not end it.
func endEvent(info institution.ConsentInfo, err error) consent.Event {
	cause := causeOf(info.State)
	if err != nil {
		cause = causeOfRefusal(err)
	}
	switch cause {
	case consent.CauseBankRevoked, consent.CauseBankRejected:
		return consent.Revocation{Cause: consent.CauseBankRevoked}
	case consent.CauseBankExpired:
		return consent.Expiry{Cause: cause}
	}
	return nil
}

// causeOf returns the cause that the state s at the bank stands for; empty when the
// consent has not ended there.
func causeOf(s institution.ConsentState) consent.Cause {
	switch s {
	case institution.ConsentRevoked:
		return consent.CauseBankRevoked
	case institution.ConsentRejected:
		return consent.CauseBankRejected
	case institution.ConsentExpired:
		return consent.CauseBankExpired
	}
	return ""
}

// causeOfRefusal returns the cause that the refusal to show a consent stands for;
// empty for any other error.
func causeOfRefusal(err error) consent.Cause {
	var failed *institution.Error
	if errors.As(err, &failed) {
		switch failed.Kind {
		case institution.ConsentGone:
			return consent.CauseBankRevoked
		case institution.ConsentOver:
			return consent.CauseBankExpired
		}
	}
	return ""
}
