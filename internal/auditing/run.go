package auditing

import (
	"context"
	"time"

	"samla/internal/clock"
)

const (
	// Interval is the time between two runs of the chainer: an entry has no place for
	// about this long after its commit.
	Interval = time.Second
	// Late is the age from which an entry without a place is reported in the log.
	Late = time.Minute
	// sweepEvery is the time between two sweeps.
	sweepEvery = time.Minute
)

// Start chains and sweeps in the background until Stop.
func (s *Service) Start() {
	ctx, end := context.WithCancel(context.Background())
	s.ending = end
	s.ended.Go(func() { s.run(ctx) })
}

// Stop ends what Start began. It chains nothing more: what is left is chained after the
// next start, or by another node.
func (s *Service) Stop() {
	if s.ending != nil {
		s.ending()
		s.ended.Wait()
	}
}

func (s *Service) run(ctx context.Context) {
	var swept, checked time.Time
	for clock.Sleep(ctx, s.Clock, Interval) == nil {
		now := s.Clock.Now()
		if err := s.chainIfNeeded(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("the audit log could not be chained", "error", err)
		}
		if now.Sub(checked) >= Late {
			checked = now
			if late, err := s.Late(ctx); err == nil && late > 0 {
				s.Log.Error("an entry of the audit log is not chained yet", "age", late.Round(time.Second).String())
			}
		}
		if now.Sub(swept) < sweepEvery {
			continue
		}
		swept = now
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("old entries of the audit log could not be removed", "error", err)
		}
	}
}

// chainIfNeeded chains if an entry waits. To look costs a read, not a write.
func (s *Service) chainIfNeeded(ctx context.Context) error {
	waiting, err := s.Store.UnchainedEntries(ctx, 1)
	if err != nil || len(waiting) == 0 {
		return err
	}
	_, err = s.Chain(ctx)
	return err
}

// Late returns the age of the oldest entry that has no place in the chain, if it is above
// Late, else 0. Entries from before the chain are old: they are counted only as long as
// they have no place.
func (s *Service) Late(ctx context.Context) (time.Duration, error) {
	waiting, err := s.Store.UnchainedEntries(ctx, 1)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	if age := s.Clock.Now().Sub(waiting[0].At); age > Late {
		return age, nil
	}
	return 0, nil
}
