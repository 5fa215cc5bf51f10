package authorize

import (
	"context"

	"samla/internal/consent"
	"samla/internal/watch"
)

// Remembered is how many consents this process holds instructions of.
func (s *Service) Remembered() int {
	s.instructions.mu.Lock()
	defer s.instructions.mu.Unlock()
	return len(s.instructions.entries)
}

// Watches reports whether this process follows the authorization of a consent.
func (s *Service) Watches(id consent.ID) bool { return s.watching.Watches(string(id)) }

// Ask is one question of the scheduler, which a test does not start.
func (s *Service) Ask(ctx context.Context, id consent.ID) watch.Outcome {
	out := s.ask(ctx, string(id))
	if out.Done {
		s.watching.Remove(string(id))
	}
	return out
}

// GiveUp is the last resort of the queue.
func (s *Service) GiveUp(ctx context.Context, id consent.ID) error { return s.giveUp(ctx, string(id)) }
