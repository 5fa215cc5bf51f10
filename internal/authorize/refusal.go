package authorize

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// CheckAfterRefusal checks a consent under which a collection was refused with an
// error of the given kind, and returns a function that stores what follows. ctx limits
// the check only; the function has its own context, because the time of the check may
// be used up by then.
//
// The status of the consent at the bank decides whether it has ended. A status that is
// neither valid nor final is a second word of the bank beside the refusal: the two end
// the consent, and so does a status that the bank refuses to show. So does the demand
// for a new signature, although the consent is valid. If the bank gives no status that
// can be read, or ctx ends before it answers, it has not said anything: the consent is
// not ended but checked again at once, as its daily check.
//
// TokenRefused stands for an access token that nothing replaces, or that the bank has just
// given. It is no demand for a signature yet: an outage of the bank looks the same. It ends
// the consent once it is confirmed, as consent.Denial says.
//
// While a renewal of the consent waits for the person, the consent does not end either
// (docs/reference/api.md 4.7).
//
// Errors of the check: those of Access. Errors of the function: those of End.
func (s *Service) CheckAfterRefusal(ctx context.Context, c consent.Consent, refusal institution.ErrorKind) (follow func(context.Context) error, err error) {
	e := endByRefusal(refusal)
	if c.Status.Final() || e == nil {
		return func(context.Context) error { return nil }, nil
	}
	if reader := s.Institutions.Of(c.Company).ConsentReader; reader != nil {
		recheck := func(ctx context.Context) error { return s.checkNow(ctx, c.ID) }
		a, _, err := s.Access(ctx, c, "")
		var noToken *institution.Error
		switch {
		case err != nil && ctx.Err() != nil, errors.As(err, &noToken) && saysNothing(err):
			return recheck, nil
		case err != nil && noToken == nil:
			return nil, err
		}
		var info institution.ConsentInfo
		if err == nil {
			info, err = reader.Consent(ctx, a)
		}
		ended := endEvent(info, err)
		switch {
		case ended != nil:
			e, refusal = ended, ""
		case err != nil && (ctx.Err() != nil || saysNothing(err)):
			return recheck, nil
		case err == nil && info.State == institution.ConsentValid && refusal != institution.SCARequired && refusal != institution.TokenRefused:
			return func(context.Context) error { return nil }, nil
		}
	}
	return func(ctx context.Context) error {
		if pending, err := s.RenewalPending(ctx, c); err != nil || pending {
			if err != nil {
				return err
			}
			return s.checkNow(ctx, c.ID) // which waits for the renewal
		}
		if refusal == institution.TokenRefused {
			if believed, err := s.tokenRefused(ctx, c); err != nil || !believed {
				return err
			}
		}
		_, err := s.End(ctx, c.ID, e)
		var illegal *consent.IllegalError
		if errors.As(err, &illegal) {
			return nil // another writer has ended it
		}
		return err
	}, nil
}

// WasRead notes that a bank has let a collection read under a consent: it does not refuse
// everybody.
func (s *Service) WasRead(c consent.Consent) {
	s.refusals.record(c.Company, c.ID, s.Clock.Now(), false)
}

// endByRefusal returns the event that ends a consent after a refusal that the bank
// does not explain; nil for a refusal that is not about the consent.
func endByRefusal(refusal institution.ErrorKind) consent.Event {
	switch refusal {
	case institution.ConsentGone:
		return consent.Revocation{Cause: consent.CauseBankRefused}
	case institution.ConsentOver:
		return consent.Expiry{Cause: consent.CauseBankRefused}
	case institution.SCARequired, institution.TokenRefused:
		return consent.Expiry{Cause: consent.CauseNewSignature}
	}
	return nil
}

// tokenRefused stores that a collection was refused by TokenRefused, and reports whether that
// is believed. If it is not, the consent is checked again at once: the bank may refuse its
// token there too.
func (s *Service) tokenRefused(ctx context.Context, c consent.Consent) (believed bool, err error) {
	now := s.Clock.Now()
	// Not with the denials of refresh tokens: a bank that cannot check access tokens may give
	// new ones all the time.
	outage, begins := s.refusals.record(c.Company, c.ID, now, true)
	if begins {
		s.Log.Warn("a bank refuses the access tokens of many persons: an outage of it is suspected, and no consent ends by it before a day is over", "company", c.Company)
	}
	_, err = store.UpdateConsent(ctx, s.Store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		if believed = false; old.Status != consent.Authorized {
			return old, nil, store.ErrUnchanged
		}
		secret, err := s.openSecret(ctx, old)
		if err != nil {
			return old, nil, err
		}
		next, certain := secret.Refused.Lately(now).Denied(now, outage)
		if believed = certain; believed {
			return old, nil, store.ErrUnchanged
		}
		secret.Refused = &next
		old, err = s.sealSecret(ctx, old, secret)
		return old, nil, err
	})
	if err != nil || believed {
		return believed, err
	}
	return false, s.checkNow(ctx, c.ID)
}

// checkNow makes the daily check of an authorized consent due now.
func (s *Service) checkNow(ctx context.Context, id consent.ID) error {
	_, err := store.UpdateConsent(ctx, s.Store, id, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		now := s.Clock.Now()
		if c.Status != consent.Authorized || !c.WakeAt.After(now) {
			return c, nil, store.ErrUnchanged
		}
		c.WakeAt = now
		return c, nil, nil
	})
	if err == nil {
		s.Jobs.Wake(store.Consents)
	}
	return err
}
