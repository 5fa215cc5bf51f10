package refresh

import (
	"context"
	"errors"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/quota"
	"samla/internal/store"
)

// staleAfter is the age from which data is called stale.
const staleAfter = quota.Window

// Access is what a client can know of reading under a consent.
type Access struct {
	Consent  consent.Consent // the living one of the lineage
	Quota    quota.State
	Last     *store.LineageRead // the last collection that began; nil: none
	Complete time.Time          // when the last one began that read everything; zero: none
	Partial  time.Time          // the same of one that lacks something
	Schedule quota.Schedule     // zero: neither a plan nor a queued collection
	Now      time.Time
}

// DaysLeft returns the whole days until the consent ends, or its signature is too old.
func (a Access) DaysLeft() int { return DaysLeft(a.Consent, a.Now) }

// DaysLeft returns the whole days until a consent ends, or its signature is too old.
func DaysLeft(c consent.Consent, now time.Time) int {
	end := c.ExpiresAt
	if sca := c.SCAExpiresAt; !sca.IsZero() && sca.Before(end) {
		end = sca
	}
	if c.Status != consent.Authorized {
		return 0
	}
	return max(0, int(end.Sub(now)/(24*time.Hour)))
}

// Quotas returns the quota of each lineage, by the id of its living consent
// (collect.Service.Quotas).
func (s *Service) Quotas(ctx context.Context, lineages [][]consent.Consent) (map[consent.ID]quota.State, error) {
	return s.Collections.Quotas(ctx, s.Store, lineages, s.Clock.Now())
}

// Stale reports whether data that was read last at the time at is stale.
func (a Access) Stale(at time.Time) bool { return at.IsZero() || a.Now.Sub(at) >= staleAfter }

// Attribution returns who caused, or has to act on, a collection that ended so; "" = nobody,
// because it goes on or has succeeded.
func Attribution(s collection.Status) fault.Attribution {
	switch {
	case !s.Terminal() || s.Class() == collection.Success:
		return ""
	case s == collection.ThirdPartyError:
		return fault.ByBank
	case s == collection.Failed:
		return fault.BySamla
	}
	return fault.ByUser
}

// lastStatuses are those of which Access needs the last collection.
var lastStatuses = []collection.Status{collection.Completed, collection.CompletedEmpty, collection.CompletedPartial}

// Access returns the state of reading under a consent of a user, by the id of any consent
// of its lineage. Faults: ConsentNotFound.
func (s *Service) Access(ctx context.Context, clientID, userID string, id consent.ID) (Access, error) {
	view, err := s.Store.ConsentStatus(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && (view.ClientID != clientID || view.UserID != userID || view.CollectionID != "") {
		return Access{}, fault.New(fault.ConsentNotFound)
	}
	if err != nil {
		return Access{}, err
	}
	a := Access{Now: s.Clock.Now()}
	if a.Consent, err = s.livingOf(ctx, view.Consent); err != nil {
		return a, err
	}
	lineage := a.Consent.LineageID()
	rule, err := s.Collections.Rule(ctx, a.Consent)
	if err != nil {
		return a, err
	}
	if a.Quota, err = s.Collections.Quota(ctx, s.Store, rule, a.Consent, a.Now); err != nil {
		return a, err
	}
	reads, err := s.Store.LastReads(ctx, lineage, lastStatuses)
	if err != nil {
		return a, err
	}
	for i, read := range reads {
		if i == 0 {
			a.Last = &reads[i]
		}
		switch {
		case read.Filtered:
		case outcomeOf(read.Status) == quota.Complete && read.BeganAt.After(a.Complete):
			a.Complete = read.BeganAt
		case outcomeOf(read.Status) == quota.Partial && read.BeganAt.After(a.Partial):
			a.Partial = read.BeganAt
		}
	}
	a.Schedule, err = s.Store.Schedule(ctx, lineage)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return a, err
}
