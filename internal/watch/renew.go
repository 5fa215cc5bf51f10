package watch

import (
	"context"
	"time"

	"samla/internal/clock"
)

// renewParts is into how many parts renewals spread, so that the leases of a crowd are
// not renewed all at the same moment.
const renewParts = 20

// renew renews leases when half of LeaseTime is left, until ctx ends.
func (s *Scheduler) renew(ctx context.Context) {
	for clock.Sleep(ctx, s.cfg.Clock, s.cfg.LeaseTime/renewParts) == nil {
		s.renewOnce(ctx)
	}
}

// renewOnce renews the leases that end soon. It drops the items whose lease was lost:
// another node has the row, or the row need not be watched any more. While the store
// does not answer, items are dropped when their leases end.
func (s *Scheduler) renewOnce(ctx context.Context) {
	leases := s.leases(s.cfg.Clock.Now().Add(s.cfg.LeaseTime / 2))
	if len(leases) == 0 {
		return
	}
	until := s.cfg.Clock.Now().Add(s.cfg.LeaseTime)
	// A store that does not answer must not keep items watched beyond their leases.
	limited, cancel := context.WithTimeout(ctx, s.cfg.LeaseTime/2)
	defer cancel()
	held, err := s.cfg.Renew(limited, leases, until)
	if err != nil && ctx.Err() == nil {
		s.cfg.Log.Error("leases cannot be renewed", "leases", len(leases), "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		now := s.cfg.Clock.Now()
		for _, it := range s.items {
			if !now.Before(it.Lease) {
				s.drop(it)
			}
		}
		return
	}
	ours := make(map[string]bool, len(held))
	for _, id := range held {
		ours[id] = true
	}
	for _, l := range leases {
		it := s.items[l.ID]
		switch {
		case it == nil, !it.Lease.Equal(l.Until): // dropped, or leased again since
		case ours[l.ID]:
			it.Lease = until
		default:
			s.drop(it)
		}
	}
}

// leases returns the leases that end by a time.
func (s *Scheduler) leases(by time.Time) []Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Lease
	for _, it := range s.items {
		if !it.removed && !it.Lease.After(by) {
			list = append(list, Lease{ID: it.ID, Until: it.Lease})
		}
	}
	return list
}
