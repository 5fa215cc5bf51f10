package authorize

import (
	"cmp"
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

// nextCheck is when an authorized consent is handled again: for the daily check, to warn
// of its end, or at its expiry, whichever is first.
func (s *Service) nextCheck(c consent.Consent, now time.Time) time.Time {
	return s.notAfter(c, now, now.Add(checkEvery))
}

// notAfter returns next, or when c is to be handled before that because its end comes
// near.
func (s *Service) notAfter(c consent.Consent, now, next time.Time) time.Time {
	if warn := c.WarnAt(s.WarnAhead); warn.After(now) && warn.Before(next) {
		next = warn
	}
	if c.ExpiresAt.Before(next) {
		next = c.ExpiresAt
	}
	return next
}

// checkDaily reads an authorized consent at its bank and ends it if it has ended
// there. While a renewal waits for the person, it does not end: if the renewal is
// authorized, the consent ends as renewed, and otherwise it is checked again.
func (j *job) checkDaily(ctx context.Context) (bool, error) {
	if j.bank.ConsentReader == nil {
		return false, j.keep(ctx, checkEvery)
	}
	info, err := j.readFresh(ctx)
	event := endEvent(info, err)
	if j.lasting() && j.access().Token != "" {
		refused, err := j.tokenAnswered(ctx, err)
		if err != nil {
			return false, err
		}
		event = cmp.Or(event, refused)
	}
	if event != nil {
		pending, err := j.RenewalPending(ctx, j.c)
		switch {
		case err != nil:
			return false, err
		case pending:
			return false, j.keep(ctx, holdCheck)
		}
		return false, j.apply(ctx, event, j.Clock.Now())
	}
	if d := j.secret.Denial; err != nil && d != nil && (d.Times == 1 || !j.lasting()) {
		return false, j.keep(ctx, consent.DenialConfirmedAfter+time.Second)
	}
	if err != nil {
		return false, j.keep(ctx, recheckAfter)
	}
	// The bank may have shortened the validity. A date that is over already contradicts
	// the status beside it, and what was asked for here is never exceeded.
	if info.State == institution.ConsentValid && !info.ValidUntil.IsZero() {
		if shorter, err := j.c.Apply(consent.Shortened{Until: info.ValidUntil}, j.Clock.Now()); err == nil {
			j.Log.Info("a bank has shortened a consent", "company", j.c.Company, "consent", j.c.ID)
			j.shortened = &shorter
		}
	}
	return false, j.keep(ctx, checkEvery)
}

// readFresh reads a consent with a token that can be used, and with another one
// if that is refused. If the bank has refused to replace the tokens before, they are
// replaced first: the status of a consent need not say that its tokens have ended
// (docs/reference/families.md 4.2 step 8).
func (j *job) readFresh(ctx context.Context) (institution.ConsentInfo, error) {
	refused := ""
	secret, err := j.openSecret(ctx, j.c)
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	j.secret = secret
	if secret.Denial != nil && !j.lasting() {
		refused = secret.Tokens.Access
	}
	for {
		if j.c, j.secret, err = j.fresh(ctx, j.c, refused); err != nil {
			return institution.ConsentInfo{}, err
		}
		a := j.access()
		info, err := j.bank.ConsentReader.Consent(ctx, a)
		if err == nil || institution.KindOf(err) != institution.TokenRefused || refused != "" || a.Token == "" || j.lasting() {
			return info, err
		}
		refused = a.Token
	}
}

// lasting reports whether the consent's token lasts as long as the consent: nothing
// replaces it.
func (j *job) lasting() bool {
	return j.bank.Refresher == nil || j.secret.Tokens.Refresh == ""
}

// tokenAnswered takes what a read says of a token that nothing replaces. A bank that
// refuses it wants a new signature. One refusal is not believed, and none while the bank
// refuses the tokens of many, as with refresh tokens (consent.Denial). It returns the event
// that ends the consent, or nil. The denial is in the row that is stored next.
func (j *job) tokenAnswered(ctx context.Context, answer error) (consent.Event, error) {
	denied := institution.KindOf(answer) == institution.TokenRefused && answer != nil
	if answer != nil && !denied {
		return nil, nil
	}
	now := j.Clock.Now()
	outage := j.recordDenial(j.c, now, denied)
	var d *consent.Denial
	if denied {
		next, certain := j.secret.Denial.Denied(now, outage)
		if certain {
			return consent.Expiry{Cause: consent.CauseNewSignature}, nil
		}
		d = &next
	} else if j.secret.Denial == nil {
		return nil, nil
	}
	j.secret.Denial = d
	c, err := j.sealSecret(ctx, j.c, j.secret)
	if err == nil {
		j.c.Sealed = c.Sealed
	}
	return nil, err
}

// keep commits when an authorized consent is handled again: after the given time at the
// latest. If its client is to be warned of its end now, the same transaction stores the
// event.
func (j *job) keep(ctx context.Context, after time.Duration) error {
	now, c := j.Clock.Now(), j.c
	if j.shortened != nil {
		c = *j.shortened
	}
	if c.WarnsNow(j.WarnAhead, now) {
		warned, err := c.Apply(consent.Warning{}, now)
		if err != nil {
			return err
		}
		c = warned
	}
	c = j.recognized(ctx, c, now)
	c, err := j.save(ctx, j.c, c, j.notAfter(c, now, now.Add(after)))
	j.c = c
	return err
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
