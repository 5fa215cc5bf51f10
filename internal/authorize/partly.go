package authorize

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
)

// partlySigned commits that somebody else has to sign too, which may take days: the
// consent is no longer followed, but read now and then until then.
func (j *job) partlySigned(ctx context.Context) error {
	now := j.Clock.Now()
	before := j.secret
	until := j.secondSignerUntil(now)
	j.secret.PartlySigned = true
	if i := j.secret.Instructions; i != nil && i.Start != "" {
		// The person has nothing to do at the bank. The address of ours says how it stands.
		j.secret.Instructions = &consent.Instructions{Start: i.Start, RefreshedAt: now, ExpiresAt: until}
	} else {
		j.secret.Instructions = nil
	}
	err := j.apply(ctx, consent.PartlySigned{Until: until}, now.Add(consent.PartlySignedCheck))
	if err != nil {
		j.secret = before
		return err
	}
	j.instructions.drop(j.c.ID)
	return nil
}

// secondSignerUntil returns until when somebody else may sign: as long as the bank gives, but not
// after the validity that was asked for. The end of the refresh token (Tokens.RefreshUntil) says
// nothing, because a refresh may give one that ends later: decide notices a grant that has ended.
func (j *job) secondSignerUntil(now time.Time) time.Time {
	until := now.Add(j.bank.Profile.SecondSigner)
	if end := j.c.ExpiresAt; !end.IsZero() && end.Before(until) {
		return end
	}
	return until
}

// checkPartlySigned reads a consent that others have to sign, and commits when it is read
// again.
func (j *job) checkPartlySigned(ctx context.Context) error {
	if done, err := j.decide(ctx); err != nil || done {
		return err
	}
	next := j.Clock.Now().Add(consent.PartlySignedCheck)
	if j.c.AuthorizeBy.Before(next) {
		next = j.c.AuthorizeBy
	}
	return j.reschedule(ctx, next)
}

// readConsent reads a consent that waits. While another person has days to sign, the tokens of
// the first one run out, and are replaced as those of an authorized consent.
func (j *job) readConsent(ctx context.Context) (institution.ConsentInfo, error) {
	if j.secret.PartlySigned {
		return j.readFresh(ctx)
	}
	return j.bank.ConsentReader.Consent(ctx, j.access())
}

// readAgainAfter is how old the last reading of a partly signed consent is at least when a
// person who looks how it stands makes it be read again.
const readAgainAfter = 5 * time.Second

// readSooner makes a partly signed consent be read now, because a person looks how it
// stands: the other one may just have signed. Nothing changes if it was read a moment ago
// or a handler has it.
func (s *Service) readSooner(ctx context.Context, c consent.Consent) error {
	now := s.Clock.Now()
	waits := func(c consent.Consent) bool {
		left := c.WakeAt.Sub(now)
		return c.Step == consent.StepWatch && left > jobs.Lease && left <= consent.PartlySignedCheck-readAgainAfter
	}
	if !waits(c) {
		return nil
	}
	_, err := store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		if !waits(old) {
			return old, nil, store.ErrUnchanged
		}
		old.WakeAt = now
		return old, nil, nil
	})
	if err == nil {
		s.Jobs.Wake(store.Consents)
	}
	return err
}
