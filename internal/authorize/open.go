package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/outbox"
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
	opened, err := v.bank.Opener.OpenConsent(ctx, institution.OpenRequest{
		RequestID: v.c.OpenRequestID, Scope: v.c.Requested, ValidUntil: v.c.ExpiresAt,
		Recurring: v.c.CollectionID == "", PSU: v.secret.Context, OtherDevice: otherDevice(v.c),
	})
	if err != nil {
		return false, v.tryAgain(ctx, err)
	}
	v.secret.RemoteID = opened.ConsentID
	err = v.apply(ctx, consent.Opened{}, v.wakeWhileWorking())
	if errors.Is(err, store.ErrConflict) {
		return false, v.orphaned(ctx, opened.ConsentID)
	}
	return err == nil, err
}

// orphaned owes the bank a word about a consent that it made while its row was
// ended by somebody else.
func (v *visit) orphaned(ctx context.Context, bankConsentID consent.RemoteID) error {
	c, err := v.Store.Consent(ctx, v.c.ID)
	if err != nil || !c.Status.Final() {
		return err
	}
	message, err := v.revocation(ctx, c, outbox.Revocation{RemoteID: bankConsentID})
	if err != nil {
		return err
	}
	if err := v.Store.Write(ctx, func(tx store.Tx) error { return tx.AddOutboxMessage(ctx, message) }); err != nil {
		return err
	}
	v.Pump.Wake(store.Outbox)
	return nil
}
