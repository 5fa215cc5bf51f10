package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
)

// job is one call of the handler for one consent: the row, its secret and its bank.
type job struct {
	*Service
	c       consent.Consent
	secret  consent.Secret
	bank    institution.Institution
	known   bool            // false: the institution is not configured any more
	signing consent.Signing // what the bank has said of the authorization so far
	renews  bool            // the row is due, for another authorization
	// openSent says that an opening may have been sent and not been answered.
	openSent bool
	// shortened is the authorized consent with an earlier end that the bank has set; nil:
	// the bank has not.
	shortened *consent.Consent
}

// Handle takes a consent as many steps on as it can go now. It is the handler of
// the queue store.Consents. A change by another writer is no error: that writer has
// stored when the consent is handled again.
func (s *Service) Handle(ctx context.Context, id string) error {
	c, err := s.Store.Consent(ctx, consent.ID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	bank, known := s.Institutions.Find(c.Company)
	j := job{Service: s, c: c, bank: bank, known: known, openSent: openingClaimed(c)}
	err = j.run(institution.WithSubject(ctx, c.Subject()))
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

func (j *job) run(ctx context.Context) error {
	now := j.Clock.Now()
	if j.c.Status.Final() {
		_, err := j.save(ctx, j.c, j.c, time.Time{})
		return err
	}
	ticked, err := j.c.Apply(consent.Ticked{}, now)
	if err != nil {
		return err
	}
	overdue := ticked.Status.Final()
	look := overdue && j.known && j.c.Status == consent.AwaitingAuthorization && (j.c.Renews != "" || j.c.Step == consent.StepComplete)
	if overdue && !look {
		return j.end(ctx, consent.Ticked{})
	}
	if !j.known && j.openingOverdue() {
		return j.endOverdue(ctx)
	}
	if !j.known {
		j.Log.Warn("the institution of a consent is not configured", "company", j.c.Company, "consent", j.c.ID)
		if j.c.Status == consent.Authorized {
			return j.keep(ctx, checkEvery)
		}
		return j.leave(ctx)
	}
	j.secret, err = j.Service.openSecret(ctx, j.c)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return j.end(ctx, consent.Revocation{Cause: consent.CauseUserErased})
	}
	if err == nil {
		j.openSent = j.c.Step == consent.StepOpening || j.secret.OpenSent || j.openSent && !j.secret.LoginDone && !j.firstClaim(ctx)
	}
	if j.openingOverdue() {
		return j.endOverdue(ctx)
	}
	switch {
	case look && err == nil && j.c.Step == consent.StepComplete:
		// The person came back in time. The exchange is bounded by itself, and a last look follows.
	case look && err == nil: // nobody has followed the authorization up to its deadline
		return j.lastLook(ctx)
	case overdue:
		return j.end(ctx, consent.Ticked{})
	case err != nil:
		return err
	}
	for _, step := range []struct {
		at  consent.Step
		run func(context.Context) (more bool, err error)
	}{
		{consent.StepOpening, j.outcomeUnknown}, {consent.StepAuthorizing, j.outcomeUnknown}, {consent.StepLoggingIn, j.outcomeUnknown},
		{consent.StepLogin, j.login}, {consent.StepComplete, j.complete},
		{consent.StepChoose, j.choose}, {consent.StepOpen, j.open}, {consent.StepAuthorize, j.authorize}, {consent.StepWatch, j.watch}, {consent.StepKeep, j.checkDaily},
	} {
		if j.c.Step != step.at {
			continue
		}
		if more, err := step.run(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

// apply applies an event and commits the result with the current secret, to be
// handled again at wake.
func (j *job) apply(ctx context.Context, e consent.Event, wake time.Time) error {
	after, err := j.c.Apply(e, j.Clock.Now())
	if err != nil {
		return err
	}
	if after.Status.Final() {
		return j.end(ctx, e)
	}
	if after, err = j.sealSecret(ctx, after, j.secret); err != nil {
		return err
	}
	j.c, err = j.save(ctx, j.c, after, wake)
	return err
}

// end commits the end of the consent by e, unless another writer was faster.
func (j *job) end(ctx context.Context, e consent.Event) error {
	end, err := j.planCertainEnd(ctx, j.c, e, j.openSent)
	if err != nil {
		return err
	}
	if err := j.Store.Write(ctx, func(tx store.Tx) error { return end.Write(ctx, tx) }); err != nil {
		return err
	}
	end.Committed()
	return nil
}

// elsewhereAfter is how soon a consent that waits, and whose institution is not configured
// here, is due again. While a banks file is rolled out, the next one to take it may be a
// node that has the institution. For one that waits for days it is longer.
const (
	elsewhereAfter     = 15 * time.Second
	elsewhereLongAfter = 10 * time.Minute
)

// leave makes a consent that waits, and whose institution is not configured here, due again
// soon, and at the deadline that time sets. An authorized one is handled daily all the same,
// so that its daily check resumes soon after the institution is back.
func (j *job) leave(ctx context.Context) error {
	now, deadline, again := j.Clock.Now(), j.c.AuthorizeBy, elsewhereAfter
	if j.c.Status == consent.Initiated {
		deadline = j.openBy(j.c)
	}
	if deadline.Sub(now) > time.Hour {
		again = elsewhereLongAfter
	}
	if next := now.Add(again); next.Before(deadline) {
		deadline = next
	}
	return j.reschedule(ctx, deadline)
}

// reschedule commits only when the consent is handled again.
func (j *job) reschedule(ctx context.Context, wake time.Time) error {
	c, err := j.save(ctx, j.c, j.c, wake)
	j.c = c
	return err
}

// leaseEnd is when a row is handled again whose handler goes on with it, in case
// that the handler dies.
func (j *job) leaseEnd() time.Time { return j.Clock.Now().Add(jobs.Lease) }

// access is how the bank recognizes the consent in a call without the person.
func (j *job) access() institution.Access {
	a := accessOf(j.secret)
	a.PSU = j.secret.Unattended()
	return a
}
