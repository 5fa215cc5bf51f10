package collect

// PollsInMemory returns how many polls the service holds in memory.
func PollsInMemory(s *Service) int {
	s.polls.mu.Lock()
	defer s.polls.mu.Unlock()
	return len(s.polls.recent) + len(s.polls.older)
}
