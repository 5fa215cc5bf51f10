package collect

// Remembered returns how many polls the service has in memory.
func Remembered(s *Service) int {
	s.polls.mu.Lock()
	defer s.polls.mu.Unlock()
	return len(s.polls.recent) + len(s.polls.older)
}
