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
	"samla/internal/store"
)

// window is the period in which background refreshes are counted (RTS art. 36(5)).
const window = 24 * time.Hour

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
	now := s.Clock.Now()
	view, err := s.Store.ConsentStatus(ctx, r.ConsentID)
	if errors.Is(err, store.ErrNotFound) {
		return collection.Collection{}, fault.New(fault.ConsentNotFound)
	}
	if err != nil {
		return collection.Collection{}, err
	}
	if f := usable(view.Consent, r, now); f != nil && f.Code == fault.ConsentNotFound {
		return collection.Collection{}, f
	}
	stored, err := authorize.Living(ctx, s.Store, view.Consent)
	if err != nil {
		return collection.Collection{}, err
	}
	if f := usable(stored, r, now); f != nil {
		return collection.Collection{}, f
	}
	c := s.draft(r, now)
	c.Mode, c.ConsentID, c.UserID = collection.Stored, stored.ID, stored.UserID
	c.Attended = r.PSU.IPAddress != ""
	if c, err = s.sealed(ctx, c, collection.Secret{Context: r.PSU}); err != nil {
		return c, err
	}
	limit := 0
	if !c.Attended {
		if limit, err = s.Consents.ReadsPerDay(ctx, stored); err != nil {
			return c, err
		}
	}
	return s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error {
		if !c.Attended {
			// Without the lock two refreshes could both pass the last free place.
			locked, err := tx.LockConsent(ctx, stored.ID)
			if err != nil {
				return err
			}
			if locked.RenewedBy != "" {
				return errRenewed
			}
			if f := usable(locked, r, now); f != nil {
				return f
			}
			if err := s.quota(ctx, tx, locked, limit, now); err != nil {
				return err
			}
		}
		return tx.AddCollection(ctx, c)
	})
}

// quota returns the fault BackgroundRefreshLimit when a lineage has used up its
// background refreshes (docs/reference/api.md 5.6).
func (s *Service) quota(ctx context.Context, tx store.Tx, c consent.Consent, limit int, now time.Time) error {
	if err := unknownReads(ctx, tx, c, now); err != nil {
		return err
	}
	taken, err := tx.UnattendedSince(ctx, c.LineageID(), now.Add(-window))
	if err != nil || len(taken) < limit {
		return err
	}
	f := fault.New(fault.BackgroundRefreshLimit)
	f.NextAllowedAt = taken[len(taken)-limit].Add(window)
	f.RetryAfter = f.NextAllowedAt.Sub(now)
	return f
}

// unknownReads returns the fault BackgroundRefreshLimit for a consent that is older than
// a restore of the database: what was read between the backup and the restore is not
// known, and counts as all that was allowed.
func unknownReads(ctx context.Context, tx store.Tx, c consent.Consent, now time.Time) error {
	i, err := tx.Installation(ctx)
	allowed := i.RestoredAt.Add(window)
	if err != nil || i.RestoredAt.IsZero() || !now.Before(allowed) || c.CreatedAt.After(i.RestoredAt) {
		return err
	}
	f := fault.New(fault.BackgroundRefreshLimit)
	f.NextAllowedAt, f.RetryAfter = allowed, allowed.Sub(now)
	return f
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
		if err := tx.AddCollection(ctx, c); err != nil {
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
	if c.Mode != collection.Dialogue && !c.WakeAt.After(c.CreatedAt) {
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
	case c.Mode != collection.Dialogue:
		s.Jobs.Wake(store.Collections)
	}
	return c, nil
}
