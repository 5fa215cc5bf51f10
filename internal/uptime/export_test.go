package uptime

import "context"

// Step does what Run does each time.
var Step = func(ctx context.Context, s *Service) { s.step(ctx) }
