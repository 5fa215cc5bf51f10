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
	"samla/internal/quota"
	"samla/internal/store"
)

// startWhenAllowed starts a background refresh now, or queues it for the next allowed
// moment (docs/reference/api.md 5.11). One that is queued already, or that is reading all
// accounts now, is returned in its place: asked twice is one read.
func (s *Service) startWhenAllowed(ctx context.Context, r Request, stored consent.Consent, c collection.Collection, rule quota.Rule,
	answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	for {
		goingOn, err := s.goingOn(ctx, stored.LineageID())
		if err != nil {
			return c, err
		}
		var after collection.Collection
		if goingOn != nil {
			after, err = s.join(ctx, stored, *goingOn, answer)
		} else {
			after, err = s.startOrQueue(ctx, r, stored, c, rule, answer)
		}
		if !errors.Is(err, store.ErrConflict) {
			return after, err
		}
		if err := ctx.Err(); err != nil {
			return c, err
		}
	}
}

// goingOn returns the background refresh of a lineage that waits or reads, or nil.
func (s *Service) goingOn(ctx context.Context, lineage consent.ID) (*collection.Collection, error) {
	plan, err := s.Store.Schedule(ctx, lineage)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if plan.Queued != "" {
		c, err := s.Store.Collection(ctx, plan.Queued)
		if err == nil && c.Waiting() {
			return &c, nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	id, err := s.readsAll(ctx, s.Store, lineage)
	if err != nil || id == "" {
		return nil, err
	}
	c, err := s.Store.Collection(ctx, id)
	if err != nil || c.Status.Terminal() {
		return nil, err
	}
	return &c, nil
}

// readsAll returns the background refresh of a lineage that is reading all accounts now;
// empty if there is none.
func (s *Service) readsAll(ctx context.Context, r store.PlanReader, lineage consent.ID) (id string, err error) {
	running, err := r.UnattendedRunning(ctx, lineage, s.Clock.Now().Add(-quota.Window))
	for _, read := range running {
		if !read.Filtered {
			return read.ID, err
		}
	}
	return "", err
}

// join answers with a collection that goes on. Errors: store.ErrConflict if it does not any
// more.
func (s *Service) join(ctx context.Context, stored consent.Consent, c collection.Collection, answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	response, err := answer.Prepare(ctx, c)
	if err != nil || response == nil {
		return c, err
	}
	return c, s.Store.Write(ctx, func(tx store.Tx) error {
		if err := authorize.LockUser(ctx, tx, c.ClientID, c.UserID); err != nil {
			return err
		}
		if _, err := tx.LockConsent(ctx, stored.ID); err != nil {
			return err
		}
		now, err := tx.Collection(ctx, c.ID)
		if err != nil {
			return err
		}
		if now.Status.Terminal() || now.Waiting() != c.Waiting() {
			return store.ErrConflict
		}
		return response.Complete(ctx, tx)
	})
}

// startOrQueue starts c, or queues it. Errors: store.ErrConflict if another caller was
// first.
func (s *Service) startOrQueue(ctx context.Context, r Request, stored consent.Consent, c collection.Collection, rule quota.Rule,
	answer idempotency.Answer[collection.Collection]) (collection.Collection, error) {
	lineage := stored.LineageID()
	alone := func(tx store.Tx) error { // the lock of the consent is held
		plan, err := tx.Schedule(ctx, lineage)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if plan.Queued != "" {
			queued, err := tx.Collection(ctx, plan.Queued)
			if err == nil && queued.Waiting() {
				err = store.ErrConflict
			}
			return err
		}
		id, err := s.readsAll(ctx, tx, lineage)
		if err == nil && id != "" {
			err = store.ErrConflict
		}
		return err
	}
	started, err := s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error {
		return s.addUnattended(ctx, tx, r, c, rule, alone)
	})
	var full *fault.Fault
	if !errors.As(err, &full) || full.Code != fault.BackgroundRefreshLimit {
		return started, err
	}
	c.StartsAt, c.WakeAt = full.NextAllowedAt, time.Time{}
	return s.add(ctx, c, answer, func(tx store.Tx, c collection.Collection) error {
		if _, err := s.lockLiving(ctx, tx, r, c.ConsentID, c.CreatedAt); err != nil {
			return err
		}
		if err := alone(tx); err != nil {
			return err
		}
		if err := r.put(ctx, tx, c); err != nil {
			return err
		}
		return queue(ctx, tx, c, lineage)
	})
}

// queue stores that a collection waits, in the schedule of its lineage.
func queue(ctx context.Context, tx store.Tx, c collection.Collection, lineage consent.ID) error {
	plan, err := tx.LockSchedule(ctx, lineage)
	if errors.Is(err, store.ErrNotFound) {
		plan = quota.Schedule{Lineage: lineage, ClientID: c.ClientID, UserID: c.UserID, Company: c.Company}.Queue(c.ID, c.StartsAt)
		if err = tx.AddSchedule(ctx, plan); errors.Is(err, store.ErrExists) {
			return store.ErrConflict
		}
		return err
	}
	if err != nil {
		return err
	}
	return tx.PutSchedule(ctx, plan.Queue(c.ID, c.StartsAt))
}

// BeginQueued begins a queued collection under the consent that its lineage has now. write
// runs in the same transaction and stores the schedule. Faults: BackgroundRefreshLimit and
// those of a consent that cannot be used. Errors: store.ErrConflict.
func (s *Service) BeginQueued(ctx context.Context, c collection.Collection, under consent.Consent, write func(store.Tx) error) error {
	rule, err := s.Rule(ctx, under)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	r := Request{Owner: Owner{ClientID: c.ClientID, UserID: c.UserID}, Company: c.Company}
	c.ConsentID, c.BeganAt, c.WakeAt = under.ID, now, now
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		locked, err := s.lockLiving(ctx, tx, r, under.ID, now)
		if err != nil {
			return err
		}
		if err := s.admit(ctx, tx, rule, locked, now); err != nil {
			return err
		}
		if _, err := tx.PutCollection(ctx, c); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(ctx, audit.OfCollection(s.IDs, c, now)); err != nil {
			return err
		}
		return write(tx)
	})
	if err == nil {
		s.Jobs.Wake(store.Collections)
	}
	return lost(err)
}

// lost returns store.ErrConflict for errRenewed: the schedule is decided again.
func lost(err error) error {
	if errors.Is(err, errRenewed) {
		return store.ErrConflict
	}
	return err
}

// StartPlanned starts a background refresh for a refresh plan, for transactions from a day
// on. write runs in the same transaction and stores the schedule. Faults and errors: those
// of Start and of BeginQueued.
func (s *Service) StartPlanned(ctx context.Context, under consent.Consent, from time.Time, write func(store.Tx, string) error) error {
	r := Request{Owner: Owner{ClientID: under.ClientID, UserID: under.UserID}, Company: under.Company, ConsentID: under.ID,
		From: from.UTC().Format(time.DateOnly)}
	stored, c, err := s.draftStored(ctx, r)
	if err != nil {
		return err
	}
	rule, err := s.Rule(ctx, stored)
	if err != nil {
		return err
	}
	_, err = s.add(ctx, c, nil, func(tx store.Tx, c collection.Collection) error {
		if err := s.addUnattended(ctx, tx, r, c, rule, nil); err != nil {
			return err
		}
		return write(tx, c.ID)
	})
	return lost(err)
}

// EndQueued ends a queued collection that can never begin, because its consent has ended.
// One that does not wait any more is left as it is. write runs in the same transaction and
// stores the schedule. Errors: store.ErrConflict.
func (s *Service) EndQueued(ctx context.Context, id string, write func(store.Tx) error) error {
	c, err := s.Store.Collection(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !c.Waiting() {
		return s.Store.Write(ctx, write)
	}
	if err != nil {
		return err
	}
	return s.conclude(ctx, c, collection.FailedWith{In: collection.AuthenticationError}, write) // it has no data
}
