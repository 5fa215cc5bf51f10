package server

import (
	"context"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
)

// certificateInterval is the time between two warnings of certificates that end.
const certificateInterval = 24 * time.Hour

// warnOfCertificates warns, at once and each day until ctx ends, of our certificates that
// end within institution.WarnBefore, and of those that have ended since the start.
func (s *Server) warnOfCertificates(ctx context.Context) {
	for {
		now := s.parts.Clock.Now()
		for _, i := range s.parts.Institutions.All() {
			for _, c := range i.Certificates {
				if left := c.Until.Sub(now); left <= institution.WarnBefore {
					s.parts.Log.Warn("a certificate ends: install its successor and restart", "company", i.Company.ID, "certificate", c.Use,
						"until", c.Until.Format(time.DateOnly), "days", int(left.Hours()/24))
				}
			}
		}
		if clock.Sleep(ctx, s.parts.Clock, certificateInterval) != nil {
			return
		}
	}
}
