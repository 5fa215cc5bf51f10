package deviation

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Register sums the deviations of a node by company. It is safe for concurrent use;
// the zero value is empty.
type Register struct {
	mu     sync.Mutex
	totals map[place]int64
}

type place struct {
	company string
	kind    Kind
}

// Total is the number of deviations of one kind at one company since the node started.
type Total struct {
	Company string
	Kind    Kind
	N       int64
}

// Add adds the deviations of a company.
func (r *Register) Add(company string, c Counts) {
	if len(c) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.totals == nil {
		r.totals = map[place]int64{}
	}
	for k, n := range c {
		r.totals[place{company, k}] += int64(n)
	}
}

// Totals returns all totals, sorted by company and kind.
func (r *Register) Totals() []Total {
	r.mu.Lock()
	totals := make([]Total, 0, len(r.totals))
	for p, n := range r.totals {
		totals = append(totals, Total{p.company, p.kind, n})
	}
	r.mu.Unlock()
	slices.SortFunc(totals, func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Company, b.Company), cmp.Compare(a.Kind, b.Kind))
	})
	return totals
}

// Hour is the number of deviations of one kind at one company in an hour (UTC), on all
// nodes together.
type Hour struct {
	Company string
	Kind    Kind
	Start   time.Time
	N       int64
}

// Keep is how long an Hour is kept.
const Keep = 90 * 24 * time.Hour

// More returns what was added between two results of Totals, which are sorted.
func More(before, after []Total) (more []Total) {
	i := 0
	for _, t := range after {
		for i < len(before) && cmp.Or(cmp.Compare(before[i].Company, t.Company), cmp.Compare(before[i].Kind, t.Kind)) < 0 {
			i++
		}
		if i < len(before) && before[i].Company == t.Company && before[i].Kind == t.Kind {
			t.N -= before[i].N
		}
		if t.N > 0 {
			more = append(more, t)
		}
	}
	return more
}
