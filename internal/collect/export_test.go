package collect

import (
	"context"
	"time"

	"samla/internal/collection"
)

// PollsInMemory returns how many polls the service holds in memory.
func PollsInMemory(s *Service) int {
	s.polls.mu.Lock()
	defer s.polls.mu.Unlock()
	return len(s.polls.recent) + len(s.polls.older)
}

// StepLogin makes one step of a login that this node watches, as the scheduler does.
// done reports that the scheduler would drop it.
func (s *Service) StepLogin(ctx context.Context, id string) (done bool) {
	out := s.stepLogin(ctx, id)
	if out.Done {
		s.loginWatch.Remove(id)
	}
	return out.Done
}

// HandleLogin is the job handler of collections of mode Dialogue.
func (s *Service) HandleLogin(ctx context.Context, id string) error { return s.handleLogin(ctx, id) }

// WatchesLogin reports whether this node watches a login.
func (s *Service) WatchesLogin(id string) bool { return s.loginWatch.Watches(id) }

// ForgetLogin stops watching a login, as a lease that cannot be renewed does.
func (s *Service) ForgetLogin(id string) { s.loginWatch.Remove(id) }

// LatestEnd returns when even the last collection must have ended.
func (s *Service) LatestEnd(c collection.Collection) time.Time { return s.latestEnd(c) }
