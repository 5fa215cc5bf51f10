package authorize

import (
	"context"
	"errors"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/outbox"
	"samla/internal/store"
)

// outcomeUnknown ends a consent whose opening was begun by a process that died,
// at a bank that would make a second one of a repeat.
func (v *visit) outcomeUnknown(ctx context.Context) (bool, error) {
	return false, v.apply(ctx, consent.FailedWith{Code: consent.BankUnavailable}, v.Clock.Now())
}

// open creates the consent at the bank. Its X-Request-ID was stored with the
// row, so that a repeat after a crash is the same request.
func (v *visit) open(ctx context.Context) (bool, error) {
	if v.bank.Opener == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	if !v.bank.Profile.ReplaySafe {
		if err := v.apply(ctx, consent.Opening{}, v.wakeWhileWorking()); err != nil {
			return false, err
		}
	}
	opened, err := v.bank.Opener.OpenConsent(ctx, institution.OpenRequest{
		RequestID: v.c.OpenRequestID, Scope: v.c.Requested, ValidUntil: v.c.ExpiresAt,
		Recurring: v.c.CollectionID == "", PSU: v.secret.Context, OtherDevice: otherDevice(v.c),
	})
	if err != nil {
		return false, v.notYet(ctx, err)
	}
	v.secret.RemoteID = opened.ConsentID
	err = v.apply(ctx, consent.Opened{}, v.wakeWhileWorking())
	if errors.Is(err, store.ErrConflict) {
		return false, v.orphaned(ctx, opened.ConsentID)
	}
	return err == nil, err
}

// authorise starts the authorisation, which gives the person something to do.
func (v *visit) authorise(ctx context.Context) (bool, error) {
	if v.bank.Authorizer == nil {
		return false, v.apply(ctx, consent.FailedWith{Code: consent.InternalError}, v.Clock.Now())
	}
	a, err := v.bank.Authorizer.StartAuthorization(ctx, institution.AuthorizeRequest{RequestID: v.c.AuthorizeRequestID,
		ConsentID: v.secret.RemoteID, PSU: v.secret.Context, OtherDevice: otherDevice(v.c)})
	if err != nil {
		return false, v.notYet(ctx, err)
	}
	if a.State == institution.AuthorizationFailed {
		return false, v.apply(ctx, consent.FailedWith{Code: a.Failure}, v.Clock.Now())
	}
	v.secret.AuthorizationID, v.secret.StatusLink, v.secret.Instructions = a.ID, a.StatusLink, a.Instructions
	err = v.apply(ctx, consent.Instructed{}, v.wakeWhileWorking())
	return err == nil, err
}

// notYet decides what follows a failed call of the opening: another try of the
// same request where that is safe and there is still time, or the end.
func (v *visit) notYet(ctx context.Context, cause error) error {
	now, kind := v.Clock.Now(), institution.KindOf(cause)
	if kind.Passing() && v.bank.Profile.ReplaySafe {
		age := now.Sub(v.c.CreatedAt)
		wait := clock.Backoff(int(age/(4*giveUpOpening/30))+1, giveUpOpening/30, giveUpOpening/4)
		var said *institution.Error
		if errors.As(cause, &said) && said.RetryAfter > wait {
			wait = said.RetryAfter
		}
		if age+wait < giveUpOpening {
			return v.later(context.WithoutCancel(ctx), now.Add(wait))
		}
	}
	v.Log.Info("a bank did not open a consent", "company", v.c.Company, "consent", v.c.ID, "error", cause)
	return v.apply(context.WithoutCancel(ctx), consent.FailedWith{Code: failureOf(kind)}, now)
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

func otherDevice(c consent.Consent) bool {
	return company.DeviceOf(c.LoginMethod) != company.SameDevice
}

// failureOf maps a bank's failure to what the client is told (docs/reference/api.md 4.1).
func failureOf(kind institution.ErrorKind) consent.FailureCode {
	switch kind {
	case institution.Unreachable, institution.Busy:
		return consent.BankUnavailable
	case institution.Conflict:
		return consent.AuthenticationConflict
	case institution.PersonRefused, institution.ConsentGone, institution.ConsentOver, institution.NotCovered:
		return consent.Rejected
	case institution.SCARequired:
		return consent.AuthenticationFailed
	case institution.CertificateBad:
		return consent.InternalError
	default:
		return consent.BankError
	}
}
