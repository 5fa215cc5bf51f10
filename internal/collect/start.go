package collect

import (
	"context"
	"errors"
	"time"

	"samla/internal/audit"
	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jobs"
	"samla/internal/psu"
	"samla/internal/quota"
	"samla/internal/store"
)

// Start creates a collection and starts its flow. The response that answer
// prepares is stored in the same transaction. When Start returns without an error,
// the flow will reach an end, even if this process dies.
// Faults: those of usable, BackgroundRefreshLimit, and, when the user was erased
// meanwhile, Unauthorized to the user and ConsentRevoked to the client.
func (s *Service) Start(ctx context.Context, r Request, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	start := s.startStored
	switch {
	case r.Login != nil:
		start = s.startLogin
	case r.ConsentID == "":
		start = s.startOneTime
	}
	c, err := start(ctx, r, answer)
	err = authorize.SealError(err)
	if r.UserID == "" && errors.Is(err, fault.New(fault.Unauthorized)) {
		// The API key is valid. The erasure of the user revokes the stored consent.
		err = fault.New(fault.ConsentRevoked)
	}
	return c, err
}

// errRenewed says that the consent of a request was renewed while it was prepared.
var errRenewed = errors.New("collect: the consent was renewed meanwhile")

// startStored starts a collection with the living consent of the lineage that the request
// names a consent of (docs/reference/api.md 4.7).
func (s *Service) startStored(ctx context.Context, r Request, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	for tries := 0; ; tries++ {
		c, err := s.startLiving(ctx, r, answer)
		if !errors.Is(err, errRenewed) {
			return c, err
		}
		if tries == maxRenewed {
			return c, fault.New(fault.ConsentRevoked)
		}
	}
}

// maxRenewed is how often a start is tried again because a renewal was faster. Two in a
// row need two signatures.
const maxRenewed = 3

func (s *Service) startLiving(ctx context.Context, r Request, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	stored, c, err := s.draftStored(ctx, r)
	if err != nil {
		return c, err
	}
	if c.Attended {
		return s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error { return r.put(ctx, tx, c) })
	}
	rule, err := s.Rule(ctx, stored)
	if err != nil {
		return c, err
	}
	if r.WhenAllowed {
		return s.startWhenAllowed(ctx, r, stored, c, rule, answer)
	}
	return s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error { return s.addUnattended(ctx, tx, r, c, rule, nil) })
}

// draftStored returns the stored consent of a request and a collection with it. Faults:
// those of usable.
func (s *Service) draftStored(ctx context.Context, r Request) (stored consent.Consent, c collection.Collection, err error) {
	now := s.Clock.Now()
	view, err := s.Store.ConsentStatus(ctx, r.ConsentID)
	if errors.Is(err, store.ErrNotFound) {
		return stored, c, fault.New(fault.ConsentNotFound)
	}
	if err != nil {
		return stored, c, err
	}
	if f := usable(view.Consent, r, now); f != nil && f.Code == fault.ConsentNotFound {
		return stored, c, f
	}
	if stored, err = authorize.Living(ctx, s.Store, view.Consent); err != nil {
		return stored, c, err
	}
	if f := usable(stored, r, now); f != nil {
		return stored, c, f
	}
	c = s.draft(r, now)
	c.Mode, c.ConsentID, c.UserID = collection.Stored, stored.ID, stored.UserID
	c.Attended = r.PSU.IPAddress != ""
	c, err = s.sealed(ctx, c, collection.Secret{Context: r.PSU, From: r.From})
	return stored, c, err
}

// addUnattended adds a background refresh if guard, which may be nil, and the quota allow it.
// Without the lock two refreshes could both pass the last free place.
func (s *Service) addUnattended(ctx context.Context, tx store.Tx, r Request, c collection.Collection, rule quota.Rule, guard func(store.Tx) error) error {
	locked, err := s.lockLiving(ctx, tx, r, c.ConsentID, c.CreatedAt)
	if err != nil {
		return err
	}
	if guard != nil {
		if err := guard(tx); err != nil {
			return err
		}
	}
	if err := s.admit(ctx, tx, rule, locked, c.CreatedAt); err != nil {
		return err
	}
	return r.put(ctx, tx, c)
}

// lockLiving locks the consent of a collection without the person. Errors: errRenewed, and
// the faults of usable.
func (s *Service) lockLiving(ctx context.Context, tx store.Tx, r Request, id consent.ID, now time.Time) (consent.Consent, error) {
	locked, err := tx.LockConsent(ctx, id)
	if err != nil {
		return locked, err
	}
	if locked.RenewedBy != "" {
		return locked, errRenewed
	}
	if f := usable(locked, r, now); f != nil {
		return locked, f
	}
	return locked, nil
}

func (s *Service) startOneTime(ctx context.Context, r Request, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	c := s.draft(r, s.Clock.Now())
	c.Mode, c.UserID, c.Attended = collection.OneTime, r.UserID, true
	ask := *r.OneTime
	ask.ClientID, ask.UserID, ask.CollectionID = r.ClientID, r.UserID, c.ID
	ask.Company, ask.LoginMethod = r.Company, r.LoginMethod
	inner, err := s.Consents.Draft(ctx, ask)
	if err != nil {
		return c, err
	}
	c.ConsentID = inner.ID
	stored := false
	defer func() {
		if !stored {
			s.Consents.Discard(inner.ID)
		}
	}()
	if c, err = s.sealed(ctx, c, collection.Secret{Context: psu.Context{IPAddress: ask.PSU.IPAddress, UserAgent: ask.PSU.UserAgent}}); err != nil {
		return c, err
	}
	c.WakeAt = c.LeaseEnds(s.Lease) // changes of the consent wake the collection earlier
	c, err = s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error {
		if err := r.put(ctx, tx, c); err != nil {
			return err
		}
		return s.Consents.Add(ctx, tx, inner)
	})
	if stored = err == nil; stored {
		s.Jobs.Wake(store.Consents)
	}
	return c, err
}

// draft returns a new collection with the members that both modes share.
func (s *Service) draft(r Request, now time.Time) collection.Collection {
	return collection.Collection{ID: s.IDs.New(), ClientID: r.ClientID, Company: r.Company, LoginMethod: r.LoginMethod, Version: r.Version,
		Filter: r.Filter, Status: collection.Running, CreatedAt: now, StatusChangedAt: now, PolledAt: now, WakeAt: now}
}

// add stores a new collection and its audit entry. A collection that is due now is
// run by this process when it has a free slot; it is then stored as claimed.
func (s *Service) add(ctx context.Context, c collection.Collection, answer idempotency.Answer[collection.Collection],
	write func(store.Tx, collection.Collection) error) (collection.Collection, error) {
	response, err := answer.Prepare(ctx, c)
	if err != nil {
		return c, err
	}
	var slot *jobs.Slot
	if c.Mode != collection.Dialogue && !c.Waiting() && !c.WakeAt.After(c.CreatedAt) {
		slot = s.Jobs.Reserve(store.Collections, c.Company)
		defer slot.Release()
		if slot != nil {
			c.WakeAt = c.CreatedAt.Add(jobs.Lease)
		}
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		if c.UserID != "" {
			if err := authorize.LockUser(ctx, tx, c.ClientID, c.UserID); err != nil {
				return err
			}
		}
		if err := write(tx, c); err != nil {
			return err
		}
		if err := response.Complete(ctx, tx); err != nil {
			return err
		}
		return tx.AddAuditEntry(ctx, audit.OfCollection(s.IDs, c, s.Clock.Now()))
	})
	if err != nil {
		return c, err
	}
	s.polls.note(c.ID, c.PolledAt)
	switch {
	case slot != nil:
		s.started.add(c)
		slot.Run(c.ID)
	case c.Waiting():
		s.Jobs.Wake(store.Schedules)
	case c.Mode != collection.Dialogue:
		s.Jobs.Wake(store.Collections)
	}
	return c, nil
}
