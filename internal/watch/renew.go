package watch

import (
	"context"

	"samla/internal/clock"
)

// renew renews the leases after half of LeaseTime, until ctx ends.
func (s *Scheduler) renew(ctx context.Context) {
	for clock.Sleep(ctx, s.cfg.Clock, s.cfg.LeaseTime/2) == nil {
		s.renewOnce(ctx)
	}
}

// renewOnce renews all leases. It drops the items whose lease was lost: another node
// has the row, or the row need not be watched any more. While the store does not
// answer, items are dropped when their leases end.
func (s *Scheduler) renewOnce(ctx context.Context) {
	leases := s.leases()
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

func (s *Scheduler) leases() []Lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Lease, 0, len(s.items))
	for _, it := range s.items {
		if !it.removed {
			list = append(list, Lease{ID: it.ID, Until: it.Lease})
		}
	}
	return list
}
