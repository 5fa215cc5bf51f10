package views_test

import (
	"testing"
	"time"

	"samla/internal/console/viewstest"
	"samla/internal/flow"
)

// A link that can still be opened, and a page that is open, have not stopped.
func TestFunnel_CountsLinksThatAreStillValidAsUnderWay(t *testing.T) {
	viewstest.OnStores(t, func(e *viewstest.Env) {
		u := e.User(e.One)
		for i := range 4 {
			e.Journey(u, viewstest.Noon.Add(time.Duration(-1-i)*time.Minute), "", "", nil)
		}
		e.Journey(u, viewstest.Noon.Add(-time.Hour), "", "", nil)
		e.Journey(u, viewstest.Noon.Add(-2*time.Minute), "", flow.Start, nil)
		e.Journey(u, viewstest.Noon.Add(-3*time.Hour), "", flow.Ended, nil)
		page := e.Get("/funnel", 200)
		e.Has(page, "7 links were made in the last 24 h; 5 are under way.", "4 under way · 1 stopped: the link was not opened<", "1 under way · 1 stopped: no institution was chosen<")
		e.Clock.Advance(16 * time.Minute) // the links end
		page = e.Get("/funnel", 200)
		e.Has(page, "7 links were made in the last 24 h; 1 is under way.", "5 stopped: the link was not opened<")
		e.HasNot(page, "4 under way")
	})
}
