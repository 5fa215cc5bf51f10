package doctor

import (
	"context"
	"sync"
	"time"

	"samla/internal/institution"
)

// Certificates judges our certificates at the institutions at the time now.
func (r *Report) Certificates(set institution.Set, now time.Time) {
	for _, i := range set.All() {
		for _, c := range i.Certificates {
			name := i.Company.ID + " " + c.Use
			left, until := c.Until.Sub(now), c.Until.Format(time.DateOnly)
			switch {
			case left <= 0:
				r.failed(name, "install its successor, and restart the server", "has ended on %s", until)
			case left <= institution.WarnBefore:
				r.warn(name, "order its successor now, install it, and restart the server", "ends on %s, in %d days", until, int(left/(24*time.Hour)))
			default:
				r.ok(name, "is valid until %s", until)
			}
		}
	}
}

// reachLimit is how many institutions are reached at once.
const reachLimit = 8

// Reach opens a connection to each institution. now tells the time of this machine.
func (r *Report) Reach(ctx context.Context, set institution.Set, now func() time.Time) {
	all := set.All()
	reports := make([]Report, len(all))
	free := make(chan struct{}, reachLimit)
	var wait sync.WaitGroup
	for n, i := range all {
		if i.Reach == nil {
			continue
		}
		wait.Add(1)
		free <- struct{}{}
		go func() {
			defer func() { <-free; wait.Done() }()
			reports[n].reach(ctx, i, now)
		}()
	}
	wait.Wait()
	for _, found := range reports {
		*r = append(*r, found...)
	}
}

// reach judges one connection. An institution's clock may be some seconds off: it is told
// to the second, and its way here takes time.
func (r *Report) reach(ctx context.Context, i institution.Institution, now func() time.Time) {
	name := i.Company.ID + " reached"
	found, err := i.Reach(ctx)
	if err != nil {
		r.failed(name, "check the base URL, the firewall and the name server; then ask the institution", "%v", err)
		return
	}
	const farOff = 30 * time.Second
	at := now()
	if skew := at.Sub(found.Now).Abs(); !found.Now.IsZero() && skew > farOff {
		r.warn(name, clockAdvice+"; if it is right, tell the institution", "its clock differs from this machine's by %v", skew.Round(time.Second))
		return
	}
	if left := found.PartnerUntil.Sub(at); !found.PartnerUntil.IsZero() && left < 7*24*time.Hour {
		r.warn(name, "tell the institution, if its certificate is not replaced in time", "in %v; its certificate ends on %s", found.Took.Round(time.Millisecond), found.PartnerUntil.Format(time.DateOnly))
		return
	}
	r.ok(name, "in %v", found.Took.Round(time.Millisecond))
}
