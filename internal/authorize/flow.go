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

// visit is one look at one consent: the row, its secret and its bank.
type visit struct {
	*Service
	c      consent.Consent
	secret consent.Secret
	bank   institution.Institution
	known  bool // false: the institution is not configured any more
	// openSent says that an opening may have been sent and not been answered.
	openSent bool
}

// Step looks at a consent and takes it as far as it goes now; it is the handler
// of the queue of consents. A change that somebody else made meanwhile is no
// error: that change has its own look coming.
func (s *Service) Step(ctx context.Context, id string) error {
	c, err := s.Store.Consent(ctx, consent.ID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	bank, known := s.Institutions.Find(c.Company)
	v := visit{Service: s, c: c, bank: bank, known: known, openSent: openingClaimed(c)}
	err = v.run(institution.WithSubject(ctx, c.Subject()))
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

func (v *visit) run(ctx context.Context) error {
	now := v.Clock.Now()
	if v.c.Status.Final() {
		_, err := v.save(ctx, v.c, v.c, time.Time{})
		return err
	}
	ticked, err := v.c.Apply(consent.Ticked{}, now)
	if err != nil {
		return err
	}
	if ticked.Status.Final() {
		return v.end(ctx, consent.Ticked{})
	}
	if !v.known {
		v.Log.Warn("the institution of a consent is not configured", "company", v.c.Company, "consent", v.c.ID)
		return v.later(ctx, nextTimed(v.c, now))
	}
	v.secret, err = v.Service.secret(ctx, v.c)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return v.end(ctx, consent.Revocation{Cause: consent.CauseUserErased})
	}
	if err != nil {
		return err
	}
	v.openSent = v.c.Step == consent.StepOpening || v.secret.OpenSent || v.openSent && !v.firstClaim(ctx)
	for _, step := range []struct {
		at  consent.Step
		run func(context.Context) (more bool, err error)
	}{
		{consent.StepOpening, v.outcomeUnknown}, {consent.StepAuthorizing, v.outcomeUnknown},
		{consent.StepOpen, v.open}, {consent.StepAuthorize, v.authorize}, {consent.StepWatch, v.watch}, {consent.StepKeep, v.keep},
	} {
		if v.c.Step != step.at {
			continue
		}
		if more, err := step.run(ctx); err != nil || !more {
			return err
		}
	}
	return nil
}

// apply commits an event, with the secret sealed anew.
func (v *visit) apply(ctx context.Context, e consent.Event, wake time.Time) error {
	after, err := v.c.Apply(e, v.Clock.Now())
	if err != nil {
		return err
	}
	if after.Status.Final() {
		return v.end(ctx, e)
	}
	if after, err = v.sealed(ctx, after, v.secret); err != nil {
		return err
	}
	v.c, err = v.save(ctx, v.c, after, wake)
	return err
}

// end commits the end of the consent by e, unless another writer was faster.
func (v *visit) end(ctx context.Context, e consent.Event) error {
	end, err := v.planEnd(ctx, v.c, e, v.openSent)
	if err != nil {
		return err
	}
	if err := v.Store.Write(ctx, func(tx store.Tx) error { return end.Write(ctx, tx) }); err != nil {
		return err
	}
	end.Committed()
	return nil
}

// nextTimed is when time alone next changes a consent whose institution is not
// configured. An authorized one is looked at daily all the same, so that its daily
// check goes on soon after the institution is back.
func nextTimed(c consent.Consent, now time.Time) time.Time {
	if c.Status.Pending() {
		return c.AuthorizeBy
	}
	return nextLook(c, now)
}

// later commits nothing but the next look.
func (v *visit) later(ctx context.Context, wake time.Time) error {
	c, err := v.save(ctx, v.c, v.c, wake)
	v.c = c
	return err
}

// wakeWhileWorking is the next look of a row whose handler goes on with it: the
// end of its lease, for the case that the handler dies.
func (v *visit) wakeWhileWorking() time.Time { return v.Clock.Now().Add(jobs.Lease) }

// access is what follows the consent at the bank without the person.
func (v *visit) access() institution.Access {
	return institution.Access{ConsentID: v.secret.RemoteID, Token: v.secret.Token,
		PSU: v.secret.Unattended()}
}
