package renormalise

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"samla/internal/collect"
)

// Outcome is what became of a collection.
type Outcome string

// The outcomes.
const (
	Changed       Outcome = "CHANGED"        // its products differ
	Unchanged     Outcome = "UNCHANGED"      // today's mapping gives the same products
	UpToDate      Outcome = "UP_TO_DATE"     // made by today's mapping, and not read
	Gone          Outcome = "GONE"           // erased or expired meanwhile
	NotReadable   Outcome = "NOT_READABLE"   // the stored answers are not enough; it stays as it is
	NotConfigured Outcome = "NOT_CONFIGURED" // its company is not in the banks file; it stays as it is
	Busy          Outcome = "BUSY"           // not applied to the accounts yet, or written by others; run again
)

// Change is a kind of difference between products, without values.
type Change struct {
	Company string
	Type    string // of the product
	Kind    Kind
	Pointer string // of the member in the product; "-" stands for each index of a list
	Before  string // mask of the value; empty if there was none
	After   string
}

// Kind is how a value differs.
type Kind string

// The kinds of change.
const (
	Added    Kind = "ADDED"
	Removed  Kind = "REMOVED"
	Modified Kind = "MODIFIED"
)

// Counted is a change and in how many places it was found.
type Counted struct {
	Change
	Count int
}

// Counts has outcomes by company.
type Counts struct {
	Company string
	Outcome Outcome
	Count   int
}

// Summary is the result of a run, sorted.
type Summary struct {
	Collections []Counts
	Changes     []Counted
	Beyond      int // changes of further kinds that were not kept
}

// Of returns how many collections had an outcome.
func (s Summary) Of(o Outcome) (n int) {
	for _, c := range s.Collections {
		if c.Outcome == o {
			n += c.Count
		}
	}
	return n
}

// maxKinds bounds the memory of a run.
const maxKinds = 5000

type outcomeOf struct {
	company string
	outcome Outcome
}

// tally counts. It is safe for concurrent use.
type tally struct {
	mu       sync.Mutex
	outcomes map[outcomeOf]int
	changes  map[Change]int
	beyond   int
}

func newTally() *tally {
	return &tally{outcomes: map[outcomeOf]int{}, changes: map[Change]int{}}
}

func (t *tally) count(company string, o Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcomes[outcomeOf{company, o}]++
}

// add counts a collection that was read again.
func (t *tally) add(company string, r *collect.Reread) {
	if !r.Changed() {
		t.count(company, Unchanged)
		return
	}
	t.count(company, Changed)
	found := Diff(r.Before, r.After)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range found {
		c.Company = company
		if _, known := t.changes[c]; !known && len(t.changes) >= maxKinds {
			t.beyond++
			continue
		}
		t.changes[c]++
	}
}

func (t *tally) summary() (s Summary) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for of, n := range t.outcomes {
		s.Collections = append(s.Collections, Counts{of.company, of.outcome, n})
	}
	slices.SortFunc(s.Collections, func(a, b Counts) int {
		return cmp.Or(cmp.Compare(a.Company, b.Company), cmp.Compare(a.Outcome, b.Outcome))
	})
	for _, c := range slices.SortedFunc(maps.Keys(t.changes), compare) {
		s.Changes = append(s.Changes, Counted{c, t.changes[c]})
	}
	s.Beyond = t.beyond
	return s
}

func compare(a, b Change) int {
	return cmp.Or(cmp.Compare(a.Company, b.Company), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Before, b.Before), cmp.Compare(a.After, b.After))
}
