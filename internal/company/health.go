package company

import (
	"container/list"
	"sync"
	"time"
)

// Availability is how available a company was lately (docs/reference/api.md 6.1).
type Availability string

// The values of docs/reference/api.md 6.1.
const (
	Available   Availability = "AVAILABLE"
	Degraded    Availability = "DEGRADED"
	Unavailable Availability = "UNAVAILABLE"
)

// Functional reports whether the company is usable now.
func (a Availability) Functional() bool { return a != Unavailable }

// The availability follows from the share of failed subjects among those that the
// company served within the window (docs/reference/api.md 6.1). With fewer than
// minSubjects, or with a single failed subject, the company is Available.
const (
	window      = 5 * time.Minute
	minSubjects = 5
	minFailed   = 2
	degraded    = 0.2 // share of failed subjects
	unavailable = 0.8

	// maxSubjects limits the memory for one company. If more subjects are active
	// within the window, those with the latest outcomes count.
	maxSubjects = 1024
)

// Health counts how companies serve distinct subjects: persons, each by the
// latest outcome of their work. However often one person's work is retried, and
// however many calls it consists of, it counts once. Health is safe for
// concurrent use; the zero value is ready.
type Health struct {
	mu        sync.Mutex
	companies map[string]*recent
}

// Record notes the outcome of a call for a subject at the time now. Only faults
// of the company count as failed. A call that was cancelled here has no outcome
// and must not be recorded. Unknown subjects ("") count as one.
func (h *Health) Record(companyID, subject string, ok bool, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.companies == nil {
		h.companies = map[string]*recent{}
	}
	r := h.companies[companyID]
	if r == nil {
		r = &recent{bySubject: map[string]*list.Element{}}
		h.companies[companyID] = r
	}
	r.record(outcome{subject: subject, ok: ok, at: now})
}

// Availability returns the availability of a company within the last five minutes.
func (h *Health) Availability(companyID string, now time.Time) Availability {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.companies[companyID]
	if r == nil {
		return Available
	}
	r.expire(now)
	total := r.latest.Len()
	share := float64(r.failed) / float64(total)
	switch {
	case total < minSubjects, r.failed < minFailed, share < degraded:
		return Available
	case share < unavailable:
		return Degraded
	default:
		return Unavailable
	}
}

// outcome is the latest outcome of a subject.
type outcome struct {
	subject string
	ok      bool
	at      time.Time
}

// recent holds the outcomes of one company within the window.
type recent struct {
	latest    list.List // of outcome, latest first
	bySubject map[string]*list.Element
	failed    int
}

func (r *recent) record(o outcome) {
	if earlier := r.bySubject[o.subject]; earlier != nil {
		r.remove(earlier)
	}
	r.expire(o.at)
	if r.latest.Len() == maxSubjects {
		r.remove(r.latest.Back())
	}
	r.bySubject[o.subject] = r.latest.PushFront(o)
	if !o.ok {
		r.failed++
	}
}

func (r *recent) expire(now time.Time) {
	for e := r.latest.Back(); e != nil && now.Sub(e.Value.(outcome).at) >= window; e = r.latest.Back() {
		r.remove(e)
	}
}

func (r *recent) remove(e *list.Element) {
	o := r.latest.Remove(e).(outcome)
	delete(r.bySubject, o.subject)
	if !o.ok {
		r.failed--
	}
}
