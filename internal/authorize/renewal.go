package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
)

// Old is a consent that is to be renewed.
type Old struct {
	consent.Consent
	// PersonalNumber is the number of the person who signed it. It is empty if the bank
	// did not need it, and for a consent that has ended: its secret is erased.
	PersonalNumber psu.Number
	// EndsAtBank: the bank ends this consent when it is asked for the new one, so that
	// nothing can be read until the person has signed.
	EndsAtBank bool
}

// staleChecks is how often a renewal is tried again because the consent to renew was
// replaced while it was prepared.
const staleChecks = 5

// errNotLiving says that another consent of the lineage is the living one by now.
var errNotLiving = errors.New("authorize: the consent to renew is not the living one any more")

// Renew asks for a consent that takes the place of another one of the user, when it is
// authorized and not before (docs/reference/api.md 4.7). id can be any consent of the
// lineage: the living one is renewed. ask makes the request for it; its errors are
// returned. The rest is as in Create.
//
// There is one pending renewal of a lineage at most, so that a bank is not asked for two
// consents of which the second ends the first. Faults: ConsentNotFound,
// ConsentNotRenewable, ConsentRenewalPending, InvalidParameter when the number is not that of
// the person who gave the old one, and those of Create.
func (s *Service) Renew(ctx context.Context, clientID, userID string, id consent.ID, ask func(Old) (Request, error),
	answer func(Old) idempotency.Answer[consent.Consent]) (consent.Consent, error) {
	for tries := 0; ; tries++ {
		old, err := s.Renewable(ctx, clientID, userID, id)
		if err != nil {
			return consent.Consent{}, err
		}
		r, err := ask(old)
		if err != nil {
			return consent.Consent{}, err
		}
		r.ClientID, r.UserID, r.Company = old.ClientID, old.UserID, old.Company
		r.Lineage, r.Renews, r.Purpose = old.LineageID(), old.ID, old.Purpose
		if r.PSU.PersonalNumber == "" {
			r.PSU.PersonalNumber = old.PersonalNumber // a bank that compares it with the signer can do so
		}
		if err := s.checkPerson(ctx, old, r.PSU.PersonalNumber, r.NumberAt); err != nil {
			return consent.Consent{}, err
		}
		c, err := s.create(ctx, r, answer(old), func(tx store.Tx, c consent.Consent) error { return s.lockRenewed(ctx, tx, old, c) })
		if errors.Is(err, errNotLiving) && tries < staleChecks {
			continue
		}
		return c, err
	}
}

// Renewable returns the living consent of the lineage of id, to renew it. Faults:
// ConsentNotFound, ConsentNotRenewable, Unavailable when its company is not configured.
func (s *Service) Renewable(ctx context.Context, clientID, userID string, id consent.ID) (Old, error) {
	c, err := s.Store.Consent(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (c.ClientID != clientID || c.UserID != userID || c.CollectionID != ""):
		return Old{}, fault.New(fault.ConsentNotFound)
	case err != nil:
		return Old{}, err
	}
	if c, err = Living(ctx, s.Store, c); err != nil {
		return Old{}, err
	}
	if !c.Renewable() {
		return Old{}, fault.New(fault.ConsentNotRenewable)
	}
	if _, known := s.Institutions.Find(c.Company); !known {
		return Old{}, fault.Detailed(fault.Unavailable, "The company of the consent is not configured.")
	}
	old := Old{Consent: c}
	if c.Status != consent.Authorized {
		return old, nil
	}
	old.EndsAtBank = s.Institutions.Of(c.Company).Profile.OldConsent == institution.OldEndsOnRequest
	secret, err := s.openSecret(ctx, c)
	if errors.Is(err, seal.ErrDecryption) {
		return old, nil // it was tampered with; a new one is all that helps
	}
	old.PersonalNumber = secret.PersonalNumber
	return old, SealError(err)
}

// lockRenewed checks in the transaction that stores the renewal c that old is still the
// consent to renew. The first consent of the lineage is the lock of its renewals.
func (s *Service) lockRenewed(ctx context.Context, tx store.Tx, old Old, c consent.Consent) error {
	if _, err := tx.LockConsent(ctx, c.Lineage); err != nil {
		return err
	}
	lineage, err := tx.LineageConsents(ctx, c.Lineage)
	if err != nil {
		return err
	}
	if pending, ok := consent.PendingRenewal(lineage); ok {
		f := fault.New(fault.ConsentRenewalPending)
		f.ConsentID = string(pending.ID)
		return f
	}
	living, _ := consent.Living(lineage)
	if living.ID != old.ID {
		return errNotLiving
	}
	// Where the bank ends the old one now, it is checked soon after the new one was
	// signed or given up, not only a day later.
	soon := c.AuthorizeBy.Add(holdCheck)
	if !old.EndsAtBank || living.Status != consent.Authorized || !living.WakeAt.After(soon) {
		return nil
	}
	living.WakeAt = soon
	if _, err = tx.PutConsent(ctx, living); errors.Is(err, store.ErrConflict) {
		return errNotLiving
	}
	return err
}

// holdCheck is how soon an authorized consent is checked again that has ended at the
// bank while its renewal waits for the person.
const holdCheck = 15 * time.Second

// RenewalPending is the function of that name, in the service's store.
func (s *Service) RenewalPending(ctx context.Context, c consent.Consent) (bool, error) {
	return RenewalPending(ctx, s.Store, c)
}

// AccountsSince returns how the accounts of a consent differ from those of the one that
// it renews (docs/reference/api.md 4.7).
func (s *Service) AccountsSince(ctx context.Context, c consent.Consent) (consent.AccountChange, error) {
	if c.Renews == "" || !c.WasAuthorized() || len(c.Granted.AccountIDs) == 0 {
		return consent.AccountChange{}, nil
	}
	before, err := s.Store.ConsentStatus(ctx, c.Renews)
	return c.AccountsSince(before.Consent), err
}
