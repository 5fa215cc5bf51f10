package refresh

import (
	"context"
	"errors"
	"slices"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/quota"
	"samla/internal/store"
)

// MaxConsents is the most consents of one plan.
const MaxConsents = 200

// Plan is a refresh plan as a client sees it.
type Plan struct {
	quota.Refresh
	// Parts has one part for each lineage that the plan covers, by lineage.
	Parts []Part
}

// Part is the plan of one lineage.
type Part struct {
	quota.Schedule
	Living consent.ID // the authorized consent of the lineage; the first one if there is none
}

// PutPlan sets the plan of a user, who is not anonymized: perDay reads a day of the consents
// with these ids, or of all consents if ids is nil. Faults: UserAnonymized,
// InvalidParameter at /consents for an id that is not one of the user's consents.
func (s *Service) PutPlan(ctx context.Context, clientID, userID string, perDay int, ids []consent.ID) (Plan, error) {
	named, err := s.named(ctx, clientID, userID, ids)
	if err != nil {
		return Plan{}, err
	}
	now := s.Clock.Now()
	asked := quota.Refresh{ClientID: clientID, UserID: userID, PerDay: perDay, CreatedAt: now, UpdatedAt: now}
	if ids != nil {
		asked.Lineages = []consent.ID{}
		for _, c := range named {
			if !slices.Contains(asked.Lineages, c.LineageID()) {
				asked.Lineages = append(asked.Lineages, c.LineageID())
			}
		}
	}
	for {
		err := s.Store.Write(ctx, func(tx store.Tx) error { return s.store(ctx, tx, asked, named, now) })
		switch {
		case errors.Is(err, fault.New(fault.Unauthorized)):
			return Plan{}, fault.New(fault.UserAnonymized)
		case errors.Is(err, store.ErrConflict) && ctx.Err() == nil:
			continue // another writer was first
		case err != nil:
			return Plan{}, err
		}
		s.Jobs.Wake(store.Schedules)
		return s.Plan(ctx, clientID, userID)
	}
}

// named returns the consents with these ids.
func (s *Service) named(ctx context.Context, clientID, userID string, ids []consent.ID) ([]consent.Consent, error) {
	if ids == nil {
		return nil, nil
	}
	found, err := s.Store.ConsentsByID(ctx, clientID, userID, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(c consent.Consent) bool { return c.ID == id }) {
			return nil, fault.Param("/consents", fault.Invalid, "must be ids of consents of the user")
		}
	}
	return found, nil
}

// allConsents returns the authorized consents of a user, whose row is locked. It waits for
// the grants that are going on: one that has looked for a plan before there was one is among
// the consents, and a later one finds the plan (cover).
func allConsents(ctx context.Context, tx store.Tx, clientID, userID string) ([]consent.Consent, error) {
	live, err := tx.LiveConsents(ctx, clientID, userID, MaxConsents)
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(live) { // the older row first, as everywhere
		if c.Status.Pending() && c.CollectionID == "" {
			if _, err := tx.LockConsent(ctx, c.ID); err != nil {
				return nil, err
			}
		}
	}
	return tx.AuthorizedConsents(ctx, clientID, userID, MaxConsents)
}

// store stores what was asked for, and plans each lineage that is covered: those of the
// named consents, or of all.
func (s *Service) store(ctx context.Context, tx store.Tx, asked quota.Refresh, covered []consent.Consent, now time.Time) error {
	if err := authorize.LockUser(ctx, tx, asked.ClientID, asked.UserID); err != nil {
		return err
	}
	if err := tx.PutRefreshPlan(ctx, asked); err != nil {
		return err
	}
	if asked.Lineages == nil {
		var err error
		if covered, err = allConsents(ctx, tx, asked.ClientID, asked.UserID); err != nil {
			return err
		}
	}
	schedules, err := tx.SchedulesOf(ctx, asked.ClientID, asked.UserID)
	if err != nil {
		return err
	}
	planned := map[consent.ID]bool{}
	for _, before := range schedules {
		planned[before.Lineage] = true
		after := before.Plan(asked.PerDay, now)
		switch {
		case asked.Lineages == nil || slices.Contains(asked.Lineages, before.Lineage):
			after.WakeAt = now // its handler looks at the consent
		case before.PerDay > 0:
			after = before.Unplan()
		default:
			continue
		}
		if err := s.put(ctx, tx, before, after); err != nil {
			return err
		}
	}
	for _, c := range covered {
		if lineage := c.LineageID(); !planned[lineage] {
			planned[lineage] = true
			if err := add(ctx, tx, c, asked.PerDay, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds the schedule of a lineage with a plan. Its handler looks at the consent at once.
// Errors: store.ErrConflict when another writer was first.
func add(ctx context.Context, tx store.Tx, c consent.Consent, perDay int, now time.Time) error {
	plan := quota.Schedule{Lineage: c.LineageID(), ClientID: c.ClientID, UserID: c.UserID, Company: c.Company}.Plan(perDay, now)
	plan.WakeAt = now
	err := tx.AddSchedule(ctx, plan)
	if errors.Is(err, store.ErrExists) {
		return store.ErrConflict
	}
	return err
}

// cover adds a consent that was just authorized to the plan of its user, if the plan is for
// all consents and does not cover it.
func cover(ctx context.Context, tx store.Tx, c consent.Consent, now time.Time) error {
	asked, err := tx.RefreshPlan(ctx, c.ClientID, c.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && asked.Lineages != nil {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := tx.LockSchedule(ctx, c.LineageID())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return add(ctx, tx, c, asked.PerDay, now)
	case err != nil || before.PerDay > 0:
		return err
	}
	return tx.PutSchedule(ctx, before.Plan(asked.PerDay, now)) // a collection waits, of a plan that was deleted meanwhile
}

// Plan returns the plan of a user. Faults: RefreshPlanNotFound.
func (s *Service) Plan(ctx context.Context, clientID, userID string) (Plan, error) {
	asked, err := s.Store.RefreshPlan(ctx, clientID, userID)
	if errors.Is(err, store.ErrNotFound) {
		return Plan{}, fault.New(fault.RefreshPlanNotFound)
	}
	if err != nil {
		return Plan{}, err
	}
	schedules, err := s.Store.SchedulesOf(ctx, clientID, userID)
	if err != nil {
		return Plan{}, err
	}
	living, err := s.Store.AuthorizedConsents(ctx, clientID, userID, MaxConsents)
	if err != nil {
		return Plan{}, err
	}
	of := make(map[consent.ID]consent.ID, len(living))
	for _, c := range living {
		of[c.LineageID()] = c.ID
	}
	p := Plan{Refresh: asked, Parts: []Part{}}
	for _, plan := range schedules {
		if plan.PerDay == 0 {
			continue
		}
		part := Part{Schedule: plan, Living: of[plan.Lineage]}
		if part.Living == "" {
			part.Living = plan.Lineage
		}
		p.Parts = append(p.Parts, part)
	}
	return p, nil
}

// DeletePlan deletes the plan of a user, if there is one. A read of the plan that goes on
// goes on.
func (s *Service) DeletePlan(ctx context.Context, clientID, userID string) error {
	for {
		err := s.Store.Write(ctx, func(tx store.Tx) error {
			err := tx.DeleteRefreshPlan(ctx, clientID, userID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			schedules, err := tx.SchedulesOf(ctx, clientID, userID)
			if err != nil {
				return err
			}
			for _, before := range schedules {
				if before.PerDay == 0 {
					continue
				}
				if err := s.put(ctx, tx, before, before.Unplan()); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, store.ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}
