package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// checkEvery is how often an authorized consent is looked up at its bank: a
// withdrawal there is noticed within a day (docs/reference/api.md 4.2).
const checkEvery = 24 * time.Hour

// nextLook is when an authorized consent is looked at again: at its expiry, or
// for the daily check.
func nextLook(c consent.Consent, now time.Time) time.Time {
	if next := now.Add(checkEvery); next.Before(c.ExpiresAt) {
		return next
	}
	return c.ExpiresAt
}

// keep is the daily check of an authorized consent.
func (v *visit) keep(ctx context.Context) (bool, error) {
	now := v.Clock.Now()
	if v.bank.ConsentReader == nil {
		return false, v.later(ctx, nextLook(v.c, now))
	}
	info, err := v.bank.ConsentReader.Consent(ctx, v.access())
	event := eventOf(info, err)
	if event != nil {
		return false, v.apply(ctx, event, now)
	}
	next := nextLook(v.c, now)
	if soon := now.Add(time.Hour); err != nil && soon.Before(next) {
		next = soon
	}
	return false, v.later(ctx, next)
}

// eventOf returns the event that ends an authorized consent according to what
// its bank said of it; nil when that does not end it.
func eventOf(info institution.ConsentInfo, err error) consent.Event {
	cause := causeOf(info.State)
	if err != nil {
		cause = saidBy(err)
	}
	switch cause {
	case consent.CauseBankRevoked, consent.CauseBankRejected:
		return consent.Revocation{Cause: consent.CauseBankRevoked}
	case consent.CauseBankExpired:
		return consent.Expiry{Cause: cause}
	}
	return nil
}

// causeOf returns the cause of an end that a bank says with the state s of a
// consent; empty when the consent has not ended there.
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

// saidBy returns the cause of an end that a bank says by refusing to show a
// consent; empty for any other error.
func saidBy(err error) consent.Cause {
	var said *institution.Error
	if errors.As(err, &said) {
		switch said.Kind {
		case institution.ConsentGone:
			return consent.CauseBankRevoked
		case institution.ConsentOver:
			return consent.CauseBankExpired
		}
	}
	return ""
}

// CheckAfterRefusal follows up a refusal that a collection has received and that
// may mean the end of its consent. The status that the institution then tells
// decides. Where it does not answer, or calls a consent valid under which it
// demands a new signature, the refusal itself ends the consent.
func (s *Service) CheckAfterRefusal(ctx context.Context, c consent.Consent, met institution.ErrorKind) error {
	var e consent.Event
	if c.Status.Final() {
		return nil
	}
	switch met {
	case institution.ConsentGone:
		e = consent.Revocation{Cause: consent.CauseBankRefused}
	case institution.ConsentOver:
		e = consent.Expiry{Cause: consent.CauseBankRefused}
	case institution.SCARequired:
		e = consent.Expiry{Cause: consent.CauseNewSignature}
	default:
		return nil
	}
	if reader := s.Institutions[c.Company].ConsentReader; reader != nil {
		a, _, err := s.Access(ctx, c)
		if err != nil {
			return err
		}
		info, err := reader.Consent(ctx, a)
		if told := eventOf(info, err); told != nil {
			e = told
		} else if err == nil && met != institution.SCARequired {
			return nil
		}
	}
	_, err := s.End(ctx, c.ID, e)
	var illegal *consent.IllegalError
	if errors.As(err, &illegal) {
		return nil // it has ended meanwhile
	}
	return err
}
