package server

import (
	"context"
	"time"

	"samla/internal/clock"
)

// upkeepInterval is the time between two calls of Institution.Upkeep.
const upkeepInterval = time.Hour

// upkeep lets institutions do what is due, at once and each hour until ctx ends.
func (s *Server) upkeep(ctx context.Context) {
	for {
		for _, i := range s.parts.Institutions.All() {
			if i.Upkeep == nil {
				continue
			}
			if err := i.Upkeep(ctx); err != nil && ctx.Err() == nil {
				s.parts.Log.Warn("the upkeep of an institution failed; what there was before is used", "company", i.Company.ID, "family", i.Family, "error", err)
			}
		}
		if clock.Sleep(ctx, s.parts.Clock, upkeepInterval) != nil {
			return
		}
	}
}
