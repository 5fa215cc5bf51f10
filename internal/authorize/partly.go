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
	j.secret.PartlySigned, j.secret.Instructions = true, nil
	err := j.apply(ctx, consent.PartlySigned{Until: now.Add(j.bank.Profile.SecondSigner)}, now.Add(consent.PartlySignedCheck))
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
