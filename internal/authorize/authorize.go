package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/institution"
)

// authorize starts the authorization at the bank, which gives the person
// something to do.
func (j *job) authorize(ctx context.Context) (bool, error) {
	if j.bank.Authorizer == nil {
		return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	if err := j.announce(ctx, consent.Authorizing{}); err != nil {
		return false, err
	}
	a, err := j.bank.Authorizer.StartAuthorization(ctx, institution.AuthorizeRequest{RequestID: j.c.AuthorizeRequestID,
		ConsentID: j.secret.RemoteID, PSU: j.secret.Context, OtherDevice: otherDevice(j.c)})
	if err != nil {
		return false, j.tryAgain(ctx, err)
	}
	ctx = context.WithoutCancel(ctx) // the outcome is stored although the time is up
	if a.State == institution.AuthorizationFailed {
		return false, j.apply(ctx, consent.FailedWith{Code: a.Failure}, j.Clock.Now())
	}
	j.secret.AuthorizationID, j.secret.StatusLink, j.secret.Instructions = a.ID, a.StatusLink, a.Instructions
	err = j.apply(ctx, consent.Instructed{}, j.leaseEnd())
	return err == nil, err
}
