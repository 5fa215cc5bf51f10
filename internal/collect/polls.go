package collect

import (
	"sync"
	"time"

	"samla/internal/collection"
)

const (
	// writeEvery is how often a poll is written down at most. The state machine
	// allows for it: a lease ends that much later than was told.
	writeEvery = 10 * time.Second
	// pollLife is how long a poll matters: no lease that it renewed lasts longer.
	pollLife = collection.Lease + writeEvery
)

// polls remembers when collections were last polled, so that the most frequent
// request of all does not write. A poll is forgotten after pollLife, and before
// twice that, because the node that is polled may not be the one that concludes
// the collection.
type polls struct {
	mu            sync.Mutex
	recent, older map[string]poll // by collection; recent ones take precedence
	since         time.Time       // when recent was begun
}

type poll struct{ at, written time.Time }

func newPolls() *polls {
	return &polls{recent: map[string]poll{}, older: map[string]poll{}}
}

// note remembers a poll that is written down already.
func (p *polls) note(id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(id, poll{at, at})
}

// add remembers a poll and reports whether it is time to write it down.
func (p *polls) add(c collection.Collection, at time.Time) (write bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.get(c.ID)
	if !ok {
		known.written = c.PolledAt
	}
	known.at = at
	if write = at.Sub(known.written) >= writeEvery; write {
		known.written = at
	}
	p.put(c.ID, known)
	return write
}

// last returns when the collection was last polled, as far as this node knows.
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
	case age >= 2*pollLife:
		p.recent, p.older, p.since = map[string]poll{}, map[string]poll{}, known.at
	case age >= pollLife:
		p.recent, p.older, p.since = map[string]poll{}, p.recent, known.at
	}
	p.recent[id] = known
}
