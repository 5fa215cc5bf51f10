package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/institution"
)

// authorize starts the authorization at the bank, which gives the person
// something to do: the first one, or another one after it.
func (j *job) authorize(ctx context.Context) (bool, error) {
	if j.bank.Authorizer == nil {
		return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	if err := j.announce(ctx, consent.Authorizing{}); err != nil {
		return false, err
	}
	call, cancel := j.untilOpenBy(ctx)
	defer cancel()
	a, err := j.bank.Authorizer.StartAuthorization(call, institution.AuthorizeRequest{RequestID: j.c.AuthorizeRequestID,
		ConsentID: j.secret.RemoteID, PSU: j.secret.Context, OtherDevice: otherDevice(j.c),
		Token: j.secret.Tokens.Access, Way: j.wayTo(j.c.Company, j.secret.Way)})
	if err != nil && j.signedAlready(ctx, err) {
		a, err = institution.Authorization{State: institution.AuthorizationDone}, nil
	}
	if err != nil {
		return j.tryAgain(ctx, err)
	}
	return j.started(context.WithoutCancel(ctx), a) // the outcome is stored although the time is up
}

// signedAlready reports whether the bank refuses to start an authorization because the
// consent is valid without one.
func (j *job) signedAlready(ctx context.Context, refusal error) bool {
	if saysNothing(refusal) || j.bank.ConsentReader == nil {
		return false
	}
	info, err := j.bank.ConsentReader.Consent(ctx, j.access())
	return err == nil && info.State == institution.ConsentValid
}
