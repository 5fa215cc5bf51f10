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

// Outcome is how the latest work of a subject at a company has ended.
type Outcome int

// The outcomes. What the person caused is Served: it says nothing about the company.
const (
	Served       Outcome = iota
	Slow                 // served, after SlowAfter or later
	FailedThere          // a fault of the company
	FailedHere           // this server cannot use the company, for example because its certificate is refused
	outcomeCount         // the number of outcomes
)

// SlowAfter is the duration from which on the answer to one call is slow.
const SlowAfter = 10 * time.Second

// Condition is how available a company was lately, and why.
type Condition struct {
	Availability Availability
	Measured     bool    // false: fewer than five persons were there lately
	Cause        Outcome // the most frequent one but Served; Served if the company is Available
	// Since is when the company became so, as far as it was looked at; zero if it is Available.
	Since time.Time
}

// The availability follows from the share of failed and slow subjects among those that the
// company served within the window (docs/reference/api.md 6.1). With fewer than
// minSubjects, or with a single such subject, the company is Available.
const (
	window      = 5 * time.Minute
	minSubjects = 5
	minFailed   = 2
	degraded    = 0.2 // share of failed and slow subjects
	unavailable = 0.8 // share of failed subjects

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

// Record notes the outcome of a call for a subject at the time now. A call that was
// cancelled here has no outcome and must not be recorded. Unknown subjects ("") count as
// one.
func (h *Health) Record(companyID, subject string, o Outcome, now time.Time) {
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
	r.record(outcome{subject, o, now})
	r.condition(now)
}

// Availability returns the availability of a company within the last five minutes.
func (h *Health) Availability(companyID string, now time.Time) Availability {
	return h.Condition(companyID, now).Availability
}

// Condition returns the availability of a company within the last five minutes, and why.
func (h *Health) Condition(companyID string, now time.Time) Condition {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.companies[companyID]
	if r == nil {
		return Condition{Availability: Available}
	}
	r.expire(now)
	return r.condition(now)
}

// condition returns the condition of a company, of which nothing is out of the window, and
// notes since when it is so.
func (r *recent) condition(now time.Time) Condition {
	c := r.weigh()
	if r.was != c.Availability {
		r.was, r.since = c.Availability, now
	}
	if c.Availability != Available {
		c.Since = r.since
	}
	return c
}

// weigh returns the condition without Since.
func (r *recent) weigh() Condition {
	total := r.latest.Len()
	if total < minSubjects {
		return Condition{Availability: Available}
	}
	c := Condition{Availability: Available, Measured: true}
	failed := r.count[FailedThere] + r.count[FailedHere]
	bad := failed + r.count[Slow]
	switch {
	case bad < minFailed, float64(bad)/float64(total) < degraded:
		return c
	case failed >= minFailed && float64(failed)/float64(total) >= unavailable:
		c.Availability = Unavailable
	default:
		c.Availability = Degraded
	}
	c.Cause = FailedThere
	for _, o := range []Outcome{FailedHere, Slow} {
		if r.count[o] > r.count[c.Cause] {
			c.Cause = o
		}
	}
	return c
}

// outcome is the latest outcome of a subject.
type outcome struct {
	subject string
	what    Outcome
	at      time.Time
}

// recent holds the outcomes of one company within the window.
type recent struct {
	latest    list.List // of outcome, latest first
	bySubject map[string]*list.Element
	count     [outcomeCount]int
	was       Availability // when it was looked at last
	since     time.Time    // when it became so
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
	r.count[o.what]++
}

func (r *recent) expire(now time.Time) {
	for e := r.latest.Back(); e != nil && now.Sub(e.Value.(outcome).at) >= window; e = r.latest.Back() {
		r.remove(e)
	}
}

func (r *recent) remove(e *list.Element) {
	o := r.latest.Remove(e).(outcome)
	delete(r.bySubject, o.subject)
	r.count[o.what]--
}
