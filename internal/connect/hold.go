package connect

import (
	"context"
	"errors"
	"time"

	"samla/internal/clock"
	"samla/internal/flow"
)

const (
	// holdEvery is how often the collections of closed pages are kept going: oftener than
	// their shortest lease ends.
	holdEvery = 10 * time.Second
	holdBatch = 200
)

// Hold keeps the collections of flows going that read, for flow.Held after their pages were
// closed (docs/reference/api.md 5.6), until ctx ends. Any number of nodes may do it.
func (s *Service) Hold(ctx context.Context) {
	for clock.Sleep(ctx, s.Clock, holdEvery) == nil {
		if err := s.HoldOnce(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("collections of closed pages could not be kept going", "error", err)
		}
	}
}

// HoldOnce renews the leases once.
func (s *Service) HoldOnce(ctx context.Context) error {
	now := s.Clock.Now()
	for after := ""; ; {
		flows, err := s.Store.ReadingFlows(ctx, now.Add(-flow.Held), after, holdBatch)
		if err != nil {
			return err
		}
		for _, f := range flows {
			after = f.ID
			if !f.Holds(now) {
				continue
			}
			if _, err := s.observe(ctx, f); err != nil && !errors.Is(err, ErrUnknown) {
				return err
			}
		}
		if len(flows) < holdBatch {
			return nil
		}
	}
}
