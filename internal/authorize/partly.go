package authorize

import (
	"context"

	"samla/internal/consent"
)

// partlySigned commits that somebody else has to sign too, which may take days: the
// consent is no longer followed, but read now and then until then.
func (j *job) partlySigned(ctx context.Context) error {
	now := j.Clock.Now()
	before := j.secret
	until := now.Add(j.bank.Profile.SecondSigner)
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
