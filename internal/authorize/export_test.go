package authorize

// Live is how many authorisations this process holds in memory, for tests.
func (s *Service) Live() int {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	return len(s.live.entries)
}
