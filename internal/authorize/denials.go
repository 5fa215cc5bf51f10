package authorize

import (
	"sync"
	"time"

	"samla/internal/institution"
)

// denials counts how often each bank has refused refresh tokens lately, on this node. A
// bank that refuses those of many persons at once has an outage: it is not asked for a
// while, and no consent ends by what it has said.
type denials struct {
	mu    sync.Mutex
	banks map[string]*denialCount
}

type denialCount struct {
	denied, given []time.Time // in the last denialWindow, oldest first
}

const (
	denialWindow = 15 * time.Minute
	// denialOutage refusals in the window, and more of them than half of the answers, are an
	// outage.
	denialOutage = 5
	denialPause  = 5 * time.Minute // since the last refusal
	mostCounted  = 1024
)

func newDenials() *denials { return &denials{banks: map[string]*denialCount{}} }

// check returns an error while a bank is not asked.
func (d *denials) check(company string, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.banks[company]
	if n == nil || !n.outage(now) || !now.Before(n.denied[len(n.denied)-1].Add(denialPause)) {
		return nil
	}
	return &institution.Error{Kind: institution.Unreachable, NotSent: true}
}

// record counts an answer, and reports whether there is an outage. An error that is no
// refusal of the token is not counted.
func (d *denials) record(company string, now time.Time, denied bool) (outage bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.banks[company]
	if n == nil {
		n = &denialCount{}
		d.banks[company] = n
	}
	if denied {
		n.denied = counted(n.denied, now)
	} else {
		n.given = counted(n.given, now)
	}
	return n.outage(now)
}

func counted(times []time.Time, now time.Time) []time.Time {
	times = append(times, now)
	return times[max(0, len(times)-mostCounted):]
}

func (n *denialCount) outage(now time.Time) bool {
	n.denied, n.given = recent(n.denied, now), recent(n.given, now)
	return len(n.denied) >= denialOutage && len(n.denied) > len(n.given)
}

func recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) > denialWindow {
		times = times[1:]
	}
	return times
}
