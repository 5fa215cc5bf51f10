package collect

import (
	"sync"
	"time"

	"samla/internal/collection"
)

const (
	// pollWriteInterval is the shortest time between two stored polls of a
	// collection. The state machine ends a lease that much later than announced.
	pollWriteInterval = 10 * time.Second
)

// polls holds the last poll of each collection in memory, so that the most frequent
// request does not write. It drops a poll after one to two times its life: the node
// that is polled does not always see the end of the collection.
type polls struct {
	mu            sync.Mutex
	recent, older map[string]poll // by collection id; recent takes precedence
	since         time.Time       // the first poll in recent
	life          time.Duration   // how long a poll is needed
}

type poll struct{ at, written time.Time }

// newPolls returns a set of polls, each of which renews a lease.
func newPolls(lease time.Duration) *polls {
	return &polls{recent: map[string]poll{}, older: map[string]poll{}, life: lease + pollWriteInterval}
}

// note adds a poll that is stored.
func (p *polls) note(id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(id, poll{at, at})
}

// add adds a poll and reports whether to store it.
func (p *polls) add(c collection.Collection, at time.Time) (write bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.get(c.ID)
	if !ok {
		known.written = c.PolledAt
	}
	known.at = at
	if write = at.Sub(known.written) >= pollWriteInterval; write {
		known.written = at
	}
	p.put(c.ID, known)
	return write
}

// last returns the time of the last poll that this node knows of.
func (p *polls) last(c collection.Collection) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, _ := p.get(c.ID); known.at.After(c.PolledAt) {
		return known.at
	}
	return c.PolledAt
}

func (p *polls) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.recent, id)
	delete(p.older, id)
}

func (p *polls) get(id string) (poll, bool) {
	known, ok := p.recent[id]
	if !ok {
		known, ok = p.older[id]
	}
	return known, ok
}

func (p *polls) put(id string, known poll) {
	switch age := known.at.Sub(p.since); {
	case age >= 2*p.life:
		p.recent, p.older, p.since = map[string]poll{}, map[string]poll{}, known.at
	case age >= p.life:
		p.recent, p.older, p.since = map[string]poll{}, p.recent, known.at
	}
	p.recent[id] = known
}
