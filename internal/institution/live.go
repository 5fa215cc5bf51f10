package institution

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Institutions finds the institutions of a server by company id: a Set, or a Live one.
type Institutions interface {
	// Find returns the institution of a company and reports whether there is one.
	Find(companyID string) (Institution, bool)
	// Of is Find without the report: the zero value has no verb.
	Of(companyID string) Institution
	// All returns the institutions sorted by company id.
	All() []Institution
	// Offered returns those of All that are not retired.
	Offered() []Institution
}

// Live is a set that grows while it is read. Readers see either all or nothing of a change,
// and take no lock. Safe for concurrent use.
type Live struct {
	writing sync.Mutex
	set     atomic.Pointer[Set]
}

// NewLive returns a live set of what the set has now.
func NewLive(s Set) *Live {
	l := &Live{}
	s = maps.Clone(s)
	l.set.Store(&s)
	return l
}

// Put adds institutions, each in place of the one with its company id.
func (l *Live) Put(all ...Institution) {
	if len(all) == 0 {
		return
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	next := maps.Clone(*l.set.Load())
	for _, i := range all {
		next[i.Company.ID] = i
	}
	l.set.Store(&next)
}

// Find implements Institutions.
func (l *Live) Find(companyID string) (Institution, bool) { return l.set.Load().Find(companyID) }

// Of implements Institutions.
func (l *Live) Of(companyID string) Institution { return l.set.Load().Of(companyID) }

// All implements Institutions.
func (l *Live) All() []Institution { return l.set.Load().All() }

// Offered implements Institutions.
func (l *Live) Offered() []Institution { return l.set.Load().Offered() }
