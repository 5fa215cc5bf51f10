package feeds

// WriteAtMost sets how many rows one plan writes.
func (s *Service) WriteAtMost(n int) { s.most = n }
