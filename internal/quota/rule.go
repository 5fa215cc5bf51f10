// Package quota owns how often an institution may be read without the person: the rule of
// a bank, the reads that are left, and the schedule of a refresh plan. It is pure. Package
// refresh drives the schedules, package collect counts the reads.
//
// The law allows four reads in 24 hours without the person (RTS (EU) 2018/389 art.
// 36(5)(b)). Banks count differently: docs/reference/banks.md 8, docs/reference/api.md
// 4.8.
package quota

import (
	"slices"
	"time"
)

// Window is the period in which reads are counted. It rolls: a read counts for exactly
// this long.
const Window = 24 * time.Hour

// Per is what a bank counts reads for.
type Per string

// The closed set.
const (
	PerConsent  Per = "CONSENT"  // a collection is one read, whatever it asks
	PerAccount  Per = "ACCOUNT"  // each request about an account is a read of that account
	PerEndpoint Per = "ENDPOINT" // the same, apart for each kind of data of an account
)

// Rule is how a bank counts, and how many reads it allows in Window.
type Rule struct {
	Per   Per
	Limit int
}

// Read is an access without the person that counts.
type Read struct {
	At time.Time
	// Counter is what was read, as the rule counts; empty for the consent. It tells nothing
	// about the account.
	Counter string
	Calls   int // 0 counts as 1
}

// State is what a rule allows at a moment.
type State struct {
	Rule
	Used int // of the counter with the most calls in Window
	Left int // reads that may begin now
	// NextAllowedAt is when the next read may begin: the moment itself, or later.
	NextAllowedAt time.Time
}

// Allowed reports whether a read may begin at the moment of the state.
func (s State) Allowed() bool { return s.Left > 0 }

// At returns what the rule allows at the moment now, after these reads. Their order does
// not matter.
func (r Rule) At(now time.Time, reads []Read) State {
	s := State{Rule: r, NextAllowedAt: now}
	counters := map[string][]Read{}
	for _, read := range reads {
		if read.At.After(now.Add(-Window)) {
			counters[read.Counter] = append(counters[read.Counter], read)
		}
	}
	for _, of := range counters {
		used, free := r.counter(of)
		s.Used = max(s.Used, used)
		if free.After(s.NextAllowedAt) {
			s.NextAllowedAt = free
		}
	}
	s.Left = max(0, r.Limit-s.Used)
	return s
}

// counter returns how many calls of one counter are counted, and when there is room for
// another one; zero: at once. It sorts reads.
func (r Rule) counter(reads []Read) (used int, free time.Time) {
	for _, read := range reads {
		used += max(1, read.Calls)
	}
	if used < r.Limit {
		return used, time.Time{}
	}
	slices.SortFunc(reads, func(a, b Read) int { return a.At.Compare(b.At) })
	left := used
	for _, read := range reads {
		free = read.At.Add(Window)
		if left -= max(1, read.Calls); left < r.Limit {
			break
		}
	}
	return used, free
}

// Room returns how many calls a counter has left at the moment now.
func (r Rule) Room(now time.Time, counter string, reads []Read) int {
	used := 0
	for _, read := range reads {
		if read.Counter == counter && read.At.After(now.Add(-Window)) {
			used += max(1, read.Calls)
		}
	}
	return max(0, r.Limit-used)
}
