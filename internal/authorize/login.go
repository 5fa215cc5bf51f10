package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/institution"
)

// login starts the login of the person before the consent is opened, where the institution
// wants one.
func (j *job) login(ctx context.Context) (bool, error) {
	if j.bank.Authorizer == nil || j.bank.Completer == nil {
		return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	if err := j.announce(ctx, consent.Authorizing{}); err != nil {
		return false, err
	}
	call, cancel := j.untilOpenBy(ctx)
	defer cancel()
	asked := j.openRequest()
	a, err := j.bank.Authorizer.StartAuthorization(call, institution.AuthorizeRequest{RequestID: j.c.AuthorizeRequestID, Login: true,
		PSU: asked.PSU, OtherDevice: asked.OtherDevice, Way: asked.Way, Scope: asked.Scope, ValidUntil: asked.ValidUntil, Recurring: asked.Recurring})
	if err != nil {
		return j.tryAgain(ctx, err)
	}
	return j.started(context.WithoutCancel(ctx), a)
}

// loginEnds reports whether what was exchanged belongs to the login before the consent.
func (j *job) loginEnds() bool { return j.bank.Profile.LoginFirst && !j.secret.LoginDone }

// loggedIn commits that the person has logged in, so that the consent is opened next. The
// person may be sent to the institution once more, by another way.
func (j *job) loggedIn(ctx context.Context) error {
	visit, err := j.anotherWay(false)
	if err != nil {
		return err
	}
	j.secret.LoginDone, j.secret.Silent = true, false
	if i := j.secret.Instructions; i != nil {
		// The page of the login is no longer of use. The address of ours says how it stands, for
		// a bank that asks the person in its app next.
		j.secret.Instructions = &consent.Instructions{Start: i.Start, RefreshedAt: j.Clock.Now(), ExpiresAt: i.ExpiresAt}
	}
	j.secret.AuthorizationID, j.secret.StatusLink = "", ""
	j.secret.StartedAt = j.Clock.Now()
	err = j.apply(ctx, consent.Exchanged{Login: true, OpenRequestID: j.IDs.New(), RequestID: j.IDs.New(), Visit: visit}, j.leaseEnd())
	if err == nil {
		j.instructions.drop(j.c.ID) // the page of the login is no longer of use
	}
	return err
}
