package company

import (
	"sync"
	"time"
)

// Standing is how a company has been doing lately (docs/reference/api.md 6.1).
type Standing string

// The standings of docs/reference/api.md 6.1.
const (
	Available   Standing = "AVAILABLE"
	Degraded    Standing = "DEGRADED"
	Unavailable Standing = "UNAVAILABLE"
)

// Functional reports whether the company is usable now.
func (s Standing) Functional() bool { return s != Unavailable }

// The window of calls that a standing is judged by. A company that nobody has
// called within the window is given the benefit of the doubt.
const (
	window      = 5 * time.Minute
	slots       = 10
	minCalls    = 5
	degradedAt  = 0.2 // share of failed calls
	unavailable = 0.8
)

// Health measures calls to companies. It is safe for concurrent use; the zero
// value is ready.
type Health struct {
	mu   sync.Mutex
	seen map[string]*[slots]slot
}

type slot struct {
	at         int64 // number of the time slice the counts belong to
	ok, failed int
}

// Record notes one call to a company at the time now. Only faults of the bank
// count as failed: a person who cancels says nothing about the bank.
func (h *Health) Record(id, subject string, ok bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen == nil {
		h.seen = map[string]*[slots]slot{}
	}
	ring := h.seen[id]
	if ring == nil {
		ring = &[slots]slot{}
		h.seen[id] = ring
	}
	slice := now.UnixNano() / int64(window/slots)
	s := &ring[slice%slots]
	if s.at != slice {
		*s = slot{at: slice}
	}
	if ok {
		s.ok++
	} else {
		s.failed++
	}
}

// Standing judges a company by the calls of the last five minutes.
func (h *Health) Standing(id string, now time.Time) Standing {
	h.mu.Lock()
	defer h.mu.Unlock()
	ring := h.seen[id]
	if ring == nil {
		return Available
	}
	oldest := now.UnixNano()/int64(window/slots) - slots + 1
	var ok, failed int
	for _, s := range ring {
		if s.at >= oldest {
			ok, failed = ok+s.ok, failed+s.failed
		}
	}
	if ok+failed < minCalls {
		return Available
	}
	switch share := float64(failed) / float64(ok+failed); {
	case share >= unavailable:
		return Unavailable
	case share >= degradedAt:
		return Degraded
	}
	return Available
}
