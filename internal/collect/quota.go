package collect

import (
	"context"
	"slices"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/quota"
	"samla/internal/store"
)

// Rule returns how a consent may be read without the person, by its bank and its grant
// (docs/reference/api.md 4.8). It opens the secret of the consent and must not run inside a
// transaction. A consent that has ended has none: then it is that of the bank.
func (s *Service) Rule(ctx context.Context, c consent.Consent) (quota.Rule, error) {
	p := s.Institutions.Of(c.Company).Profile
	rule := quota.Rule{Per: p.CountsPer, Limit: min(p.DailyLimit, consent.MostReadsPerDay)}
	if rule.Per == "" {
		rule.Per = quota.PerConsent
	}
	if c.Status != consent.Authorized {
		return rule, nil
	}
	var err error
	rule.Limit, err = s.Consents.ReadsPerDay(ctx, c)
	return rule, err
}

// reader is the store, or a transaction.
type reader interface {
	store.CollectionReader
	store.PlanReader
	Installation(ctx context.Context) (store.Installation, error)
}

// Quota returns what a rule allows for the lineage of a consent, which is its living one, at
// the moment now. r is the store, or a transaction that has locked the consent: only then
// can the answer be relied on.
func (s *Service) Quota(ctx context.Context, r reader, rule quota.Rule, c consent.Consent, now time.Time) (quota.State, error) {
	state, err := s.counted(ctx, r, rule, c.LineageID(), now)
	if err != nil {
		return state, err
	}
	// What was read between a backup and its restore is not known, and counts as all that
	// was allowed.
	i, err := r.Installation(ctx)
	return afterRestore(state, i, c, now), err
}

// afterRestore returns the quota of a consent, given what may have been forgotten.
func afterRestore(state quota.State, i store.Installation, c consent.Consent, now time.Time) quota.State {
	if known := i.RestoredAt.Add(quota.Window); !i.RestoredAt.IsZero() && now.Before(known) && !c.CreatedAt.After(i.RestoredAt) {
		state.Used, state.Left = max(state.Used, state.Limit), 0
		if known.After(state.NextAllowedAt) {
			state.NextAllowedAt = known
		}
	}
	return state
}

// Quotas is Rule and Quota for many lineages at once, by their living consents: the number of
// questions to the store does not grow with theirs, but for institutions that count calls. Of
// each lineage all is given that can have been read under.
func (s *Service) Quotas(ctx context.Context, r reader, lineages [][]consent.Consent, now time.Time) (map[consent.ID]quota.State, error) {
	var ids []consent.ID
	for _, l := range lineages {
		for _, c := range l {
			ids = append(ids, c.ID)
		}
	}
	begun, err := r.UnattendedUnder(ctx, ids, now.Add(-quota.Window))
	if err != nil {
		return nil, err
	}
	i, err := r.Installation(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[consent.ID]quota.State, len(lineages))
	for _, l := range lineages {
		living, ok := consent.Living(l)
		if !ok {
			continue
		}
		rule, err := s.Rule(ctx, living)
		if err != nil {
			return nil, err
		}
		var state quota.State
		if rule.Per == quota.PerConsent {
			var reads []quota.Read
			for _, c := range l {
				for _, at := range begun[c.ID] {
					reads = append(reads, quota.Read{At: at})
				}
			}
			slices.SortFunc(reads, func(a, b quota.Read) int { return a.At.Compare(b.At) })
			state = rule.At(now, reads)
		} else if state, err = s.counted(ctx, r, rule, living.LineageID(), now); err != nil {
			return nil, err
		}
		states[living.ID] = afterRestore(state, i, living, now)
	}
	return states, nil
}

// counted is Quota by what is known.
func (s *Service) counted(ctx context.Context, r reader, rule quota.Rule, lineage consent.ID, now time.Time) (quota.State, error) {
	since := now.Add(-quota.Window)
	if rule.Per == quota.PerConsent {
		begun, err := r.UnattendedSince(ctx, lineage, since)
		if err != nil {
			return quota.State{}, err
		}
		reads := make([]quota.Read, len(begun))
		for i, at := range begun {
			reads[i].At = at
		}
		return rule.At(now, reads), nil
	}
	reads, err := r.UnattendedCalls(ctx, lineage, since)
	if err != nil {
		return quota.State{}, err
	}
	state := rule.At(now, reads)
	// What a collection that is running will still ask is not counted yet.
	running, err := r.UnattendedRunning(ctx, lineage, now.Add(-s.ReadTimeUnattended-time.Minute))
	if err == nil && len(running) > 0 && state.Allowed() {
		state.Left, state.NextAllowedAt = 0, now.Add(time.Minute)
	}
	return state, err
}

// admit returns the fault BackgroundRefreshLimit when a lineage has used up its background
// refreshes (docs/reference/api.md 5.6).
func (s *Service) admit(ctx context.Context, tx store.Tx, rule quota.Rule, c consent.Consent, now time.Time) error {
	state, err := s.Quota(ctx, tx, rule, c, now)
	if err != nil || state.Allowed() {
		return err
	}
	f := fault.New(fault.BackgroundRefreshLimit)
	f.NextAllowedAt = state.NextAllowedAt
	f.RetryAfter = f.NextAllowedAt.Sub(now)
	return f
}
