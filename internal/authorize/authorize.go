package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/institution"
)

// authorize starts the authorization at the bank, which gives the person
// something to do.
func (v *visit) authorize(ctx context.Context) (bool, error) {
	if v.bank.Authorizer == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	if err := v.announce(ctx, consent.Authorizing{}); err != nil {
		return false, err
	}
	a, err := v.bank.Authorizer.StartAuthorization(ctx, institution.AuthorizeRequest{RequestID: v.c.AuthorizeRequestID,
		ConsentID: v.secret.RemoteID, PSU: v.secret.Context, OtherDevice: otherDevice(v.c)})
	if err != nil {
		return false, v.tryAgain(ctx, err)
	}
	if a.State == institution.AuthorizationFailed {
		return false, v.apply(ctx, consent.FailedWith{Code: a.Failure}, v.Clock.Now())
	}
	v.secret.AuthorizationID, v.secret.StatusLink, v.secret.Instructions = a.ID, a.StatusLink, a.Instructions
	err = v.apply(ctx, consent.Instructed{}, v.wakeWhileWorking())
	return err == nil, err
}
