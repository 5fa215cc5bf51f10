package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/seal"
	"samla/internal/store"
)

// open creates the consent at the bank. Its X-Request-ID was stored with the
// row, so that a repeat after a crash is the same request.
func (v *visit) open(ctx context.Context) (bool, error) {
	if v.bank.Opener == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	if err := v.announce(ctx, consent.Opening{}); err != nil {
		return false, err
	}
	opened, err := v.bank.Opener.OpenConsent(ctx, openRequest(v.c, v.secret.Context))
	if err != nil {
		v.openSent = mayHaveOpened(err) && (v.openSent || !notSent(err))
		return false, v.tryAgain(ctx, err)
	}
	v.openSent = false
	v.secret.RemoteID = opened.ConsentID
	err = v.apply(ctx, consent.Opened{}, v.wakeWhileWorking())
	if errors.Is(err, store.ErrConflict) || errors.Is(err, seal.ErrKeyDestroyed) {
		return false, v.openedTooLate(ctx, opened.ConsentID)
	}
	return err == nil, err
}
