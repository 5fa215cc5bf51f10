package server

import (
	"context"
	"time"

	"samla/internal/clock"
)

// upkeepInterval is the time between two calls of Institution.Upkeep, which does nothing if
// nothing is due. Nodes whose lists are renewed know each other's new institutions so long after
// each other at most, beside what their clocks differ and the gateway takes to answer.
const upkeepInterval = 5 * time.Second

// upkeep lets institutions do what is due, at once and at each interval until ctx ends. It
// offers what an entry has anew.
func (s *Server) upkeep(ctx context.Context) {
	for {
		for _, i := range s.parts.Institutions.All() {
			if i.Upkeep == nil {
				continue
			}
			if err := i.Upkeep(ctx); err != nil && ctx.Err() == nil {
				s.parts.Log.Warn("the upkeep of an institution failed; what there was before is used", "company", i.Company.ID, "family", i.Family, "error", err)
			}
			if i.Now != nil {
				now := i.Now() // none: nothing has changed
				s.known.Put(now...)
				for n, one := range now {
					now[n] = s.wrap(one)
				}
				s.used.Put(now...)
			}
		}
		if clock.Sleep(ctx, s.parts.Clock, upkeepInterval) != nil {
			return
		}
	}
}
