package refresh

import (
	"context"
	"errors"
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/quota"
	"samla/internal/store"
)

// checkRenewal is between two looks at a renewal that waits for the person: its end wakes
// the schedule.
const checkRenewal = time.Minute

// Handle is the job handler of schedules: it does what is due for one lineage, and stores
// when to look again. It is not an error when another writer changed the schedule meanwhile:
// that writer has said when to look again.
func (s *Service) Handle(ctx context.Context, id string) error {
	before, err := s.Store.Schedule(ctx, consent.ID(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = s.handle(ctx, before)
	}
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

func (s *Service) handle(ctx context.Context, before quota.Schedule) error {
	after, err := s.outcome(ctx, before)
	if err != nil {
		return err
	}
	living, why, err := s.living(ctx, after)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	if why != "" {
		return s.lose(ctx, before, after, living, why, now)
	}
	after = after.Found(now)
	rule, err := s.Collections.Rule(ctx, living)
	if err != nil {
		return err
	}
	state, err := s.Collections.Quota(ctx, s.Store, rule, living, now)
	if err != nil {
		return err
	}
	after, verdict := after.QueuedDue(now, state)
	if verdict == quota.ReadIt {
		return s.begin(ctx, before, after, living, now)
	}
	if after, verdict = after.Due(now, state); verdict == quota.ReadIt {
		from, _ := after.From(now, s.Institutions.Of(after.Company).Profile.HistoryUnattended)
		err := s.Collections.StartPlanned(ctx, living, from, func(tx store.Tx, collectionID string) error {
			return s.put(ctx, tx, before, after.Started(collectionID, now).Look(now))
		})
		return s.refused(ctx, before, after, err, now)
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return s.put(ctx, tx, before, after.Look(now)) })
}

// outcome returns the schedule after the outcome of the plan's read, if it is known.
func (s *Service) outcome(ctx context.Context, plan quota.Schedule) (quota.Schedule, error) {
	if plan.Reading == "" {
		return plan, nil
	}
	c, err := s.Store.Collection(ctx, plan.Reading)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return plan, err
	}
	if err == nil && !c.Status.Terminal() {
		return plan, nil
	}
	return plan.Ended(outcomeOf(c.Status), c.Began(), s.Clock.Now()), nil
}

func outcomeOf(status collection.Status) quota.Outcome {
	switch status {
	case collection.Completed, collection.CompletedEmpty:
		return quota.Complete
	case collection.CompletedPartial:
		return quota.Partial
	}
	return quota.Failed
}

// living returns the consent to read under, or why there is none.
func (s *Service) living(ctx context.Context, plan quota.Schedule) (consent.Consent, quota.Reason, error) {
	lineage, err := s.Store.LineageConsents(ctx, plan.Lineage)
	if err != nil {
		return consent.Consent{}, "", err
	}
	c, _ := consent.Living(lineage)
	if i, known := s.Institutions.Find(plan.Company); !known || i.Collector == nil {
		return c, quota.InstitutionMissing, nil
	}
	if c.Status != consent.Authorized || !s.Clock.Now().Before(c.ExpiresAt) {
		return c, quota.ConsentEnded, nil
	}
	return c, "", nil
}

// lose stores that nothing can be read. A collection that waits ends in the same
// transaction: a renewal that is authorized meanwhile changes the schedule, and the
// collection goes on. It also goes on while a renewal waits for the person.
func (s *Service) lose(ctx context.Context, before, after quota.Schedule, living consent.Consent, why quota.Reason, now time.Time) error {
	pending := false
	if after.Queued != "" && why == quota.ConsentEnded {
		var err error
		if pending, err = authorize.RenewalPending(ctx, s.Store, living); err != nil {
			return err
		}
	}
	ends := after.Queued
	if !pending {
		after = after.Unqueue()
	}
	if after.PerDay > 0 {
		after = after.Lost(why, now)
	}
	if pending {
		ends, after.WakeAt = "", now.Add(checkRenewal)
	}
	write := func(tx store.Tx) error { return s.put(ctx, tx, before, after) }
	if ends == "" {
		return s.Store.Write(ctx, write)
	}
	return s.Collections.EndQueued(ctx, ends, write)
}

// begin begins the collection that waits, unless it has ended.
func (s *Service) begin(ctx context.Context, before, after quota.Schedule, living consent.Consent, now time.Time) error {
	c, err := s.Store.Collection(ctx, after.Queued)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err != nil || !c.Waiting() {
		return s.Store.Write(ctx, func(tx store.Tx) error { return s.put(ctx, tx, before, after.Unqueue().Look(now)) })
	}
	err = s.Collections.BeginQueued(ctx, c, living, func(tx store.Tx) error {
		return s.put(ctx, tx, before, after.Begun(now).Look(now))
	})
	return s.refused(ctx, before, after, err, now)
}

// refused handles that a read did not begin, because the quota or the consent has changed
// since the schedule was decided: it is decided again a moment later, or when the quota
// allows. It returns other errors.
func (s *Service) refused(ctx context.Context, before, after quota.Schedule, err error, now time.Time) error {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return err
	}
	switch f.Code {
	case fault.BackgroundRefreshLimit:
		used := quota.State{Rule: quota.Rule{Limit: quota.MaxPerDay}, NextAllowedAt: f.NextAllowedAt}
		after, _ = after.QueuedDue(now, used)
		after, _ = after.Due(now, used)
		after = after.Look(now)
	case fault.ConsentExpired, fault.ConsentRevoked, fault.ConsentNotAuthorized, fault.ConsentNotFound:
		after.WakeAt = now.Add(time.Second)
	default: // such as Unauthorized: the user is being erased
		return authorizeGone(f)
	}
	return s.Store.Write(ctx, func(tx store.Tx) error { return s.put(ctx, tx, before, after) })
}

// authorizeGone returns nil for the fault of a user who is erased: the row goes too.
func authorizeGone(f *fault.Fault) error {
	if f.Code == fault.Unauthorized {
		return nil
	}
	return f
}

// livingOf returns the consent that stands for the lineage of a consent.
func (s *Service) livingOf(ctx context.Context, c consent.Consent) (consent.Consent, error) {
	return authorize.Living(ctx, s.Store, c)
}
