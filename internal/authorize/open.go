package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

// open creates the consent at the bank. The X-Request-ID is stored with the row, so
// that a repeat after a crash is the same request.
func (j *job) open(ctx context.Context) (bool, error) {
	if j.bank.Opener == nil {
		return false, j.apply(ctx, consent.FailedWith{Code: consent.InternalError}, j.Clock.Now())
	}
	if j.mustList() {
		return false, j.list(ctx)
	}
	if err := j.announce(ctx, consent.Opening{}); err != nil {
		return false, err
	}
	call, cancel := j.untilOpenBy(ctx)
	defer cancel()
	opened, err := j.bank.Opener.OpenConsent(call, j.openRequest())
	if err != nil && opened.ConsentID != "" {
		return j.openedInVain(context.WithoutCancel(ctx), opened.ConsentID, err)
	}
	if err != nil {
		if !notHandled(err) { // else an attempt before this one may have opened it
			j.openSent = mayHaveOpened(err) && (j.openSent || !notSent(err))
		}
		return j.tryAgain(ctx, err)
	}
	ctx = context.WithoutCancel(ctx) // the id is stored although the time is up
	j.openSent = false
	j.secret.RemoteID = opened.ConsentID
	err = j.apply(ctx, consent.Opened{}, j.leaseEnd())
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) {
		return false, j.revokeLate(ctx)
	}
	if err == nil && opened.Started != nil {
		return j.started(ctx, *opened.Started)
	}
	return err == nil, err
}

// openedInVain goes on after the bank has created a consent and what has to follow at once,
// such as the page where the person signs, has failed. The id is stored before anything else,
// so that whatever ends the consent revokes it. Where the request cannot be repeated, another
// one would create a second consent and replace the id of the first, whatever cause says of the
// call that followed: the consent ends.
func (j *job) openedInVain(ctx context.Context, id consent.RemoteID, cause error) (more bool, err error) {
	j.openSent = false
	j.secret.OpenSent, j.secret.RemoteID = false, id
	err = j.storeSecret(ctx)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) {
		return false, j.revokeLate(ctx)
	}
	if err != nil {
		return false, err
	}
	if !j.repeatable() {
		j.Log.Info("a bank did not go on with a consent that it has opened", "company", j.c.Company, "consent", j.c.ID, "error", cause)
		return false, j.apply(ctx, consent.FailedWith{Code: j.failureWithout(failureOf(institution.KindOf(cause)))}, j.Clock.Now())
	}
	return j.tryAgain(ctx, cause)
}
