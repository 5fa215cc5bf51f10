package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/seal"
	"samla/internal/store"
)

// A consent can be renewed while a collection reads under it (docs/reference/api.md 4.7).
// The collection then goes on under the consent that has taken its place. It begins to
// read anew: a bank may give the accounts other ids under another consent. A bank may also
// end the old consent before it says that the new one is authorized; then the collection
// waits for that.

// heldCheck is how soon a collection is handled again that waits for a renewal.
const heldCheck = 2 * time.Second

// continueRenewed lets a collection go on under the consent that has taken the place of
// its own, and reports whether there is one.
func (s *Service) continueRenewed(ctx context.Context, c collection.Collection) (moved bool, err error) {
	if c.Mode != collection.Stored {
		return false, nil
	}
	under, err := s.Store.Consent(ctx, c.ConsentID)
	if err != nil || under.RenewedBy == "" {
		return false, err
	}
	living, err := authorize.Living(ctx, s.Store, under)
	if err != nil || living.Status != consent.Authorized {
		return false, err
	}
	c.ConsentID = living.ID
	return s.restart(ctx, c, false)
}

// keepForRenewal keeps a collection that was refused as if its consent had ended, if the
// consent was renewed meanwhile or a renewal waits for the person. It reports whether
// that is so.
func (s *Service) keepForRenewal(ctx context.Context, c collection.Collection, under consent.Consent, refusal institution.ErrorKind) (kept bool, err error) {
	switch refusal {
	case institution.ConsentGone, institution.ConsentOver, institution.SCARequired, institution.TokenRefused:
	default:
		return false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), concludeWithin)
	defer cancel()
	if moved, err := s.continueRenewed(ctx, c); err != nil || moved {
		return moved, err
	}
	if !s.Clock.Now().Before(s.deadline(c, under)) {
		return false, nil
	}
	pending, err := s.Consents.RenewalPending(ctx, under)
	if err != nil || !pending {
		return false, err
	}
	return s.restart(ctx, c, true)
}

// restart stores a collection that begins to read anew: now, or, if it is held, when the
// renewal that waits has ended. It reports true unless the person's data is erased.
func (s *Service) restart(ctx context.Context, c collection.Collection, held bool) (bool, error) {
	secret, err := s.secret(ctx, c)
	if errors.Is(err, seal.ErrKeyDestroyed) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	secret.Asked, secret.Held = nil, held
	if !held { // another consent: what its answers wait for, the bank begins anew
		secret.Prepared = nil
	}
	if c, err = s.sealed(ctx, c, secret); err != nil {
		return false, err
	}
	c.WakeAt = s.Clock.Now()
	if held {
		c.WakeAt = c.WakeAt.Add(heldCheck)
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if _, err := tx.PutCollection(ctx, c); err != nil {
			return err
		}
		return tx.EraseData(ctx, c.ID)
	})
	if err != nil {
		return false, err
	}
	s.Log.Info("a collection waits for the renewal of its consent, or goes on under the new one", "company", c.Company, "collection", c.ID, "waits", held)
	if !held {
		s.Jobs.Wake(store.Collections)
	}
	return true, nil
}

// hold lets a collection that was refused wait as long as a renewal waits for the person
// and the deadline is not over. It reports whether it waits.
func (s *Service) hold(ctx context.Context, c collection.Collection, under consent.Consent) (bool, error) {
	now := s.Clock.Now()
	if !now.Before(s.deadline(c, under)) {
		return false, nil
	}
	pending, err := s.Consents.RenewalPending(ctx, under)
	if err != nil || !pending {
		return false, err
	}
	_, err = s.put(ctx, c, now.Add(heldCheck))
	return true, err
}
