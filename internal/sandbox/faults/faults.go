// Package faults is the switch with which an operator or a test lets a simulated bank fail,
// or deviate from its specification (docs/reference/families.md 15). What the answers of a
// bank consist of, and so what can deviate in them, is its Language.
package faults

import (
	"fmt"
	"slices"
	"sync"
)

// Deviation is a way in which an answer deviates.
type Deviation string

// The deviations of an answer that succeeded. The bank has acted.
const (
	UnknownMembers Deviation = "unknownMembers" // members that no definition has
	UnknownValues  Deviation = "unknownValues"  // values that no enumeration has
	ManyDecimals   Deviation = "manyDecimals"   // amounts with seven decimals or more
	MissingMembers Deviation = "missingMembers" // only the members that the definition requires
	NullMembers    Deviation = "nullMembers"    // these are null instead
	NumberAmounts  Deviation = "numberAmounts"  // amounts as JSON numbers, where they are texts
	WrongType      Deviation = "wrongType"      // Content-Type text/plain
	CutBody        Deviation = "cutBody"        // half of the body, then the connection breaks
	Lost           Deviation = "lost"           // the connection breaks before the answer
	Slow           Deviation = "slow"           // the answer waits for Fault.DelayMS, by the bank's clock
)

// The deviations in place of an answer.
const (
	Unavailable Deviation = "unavailable" // 503 with Retry-After
	ServerError Deviation = "serverError" // 500 without a body
	ErrorPage   Deviation = "errorPage"   // 502 with a page of HTML
	Maintenance Deviation = "maintenance" // 200 with a page of HTML
	TooMany     Deviation = "tooMany"     // 429 with Retry-After
)

// Fault is a deviation of some calls. The zero value is none.
type Fault struct {
	Deviation Deviation `json:"deviation"`
	// Kinds are kinds of calls, as the bank names them; none: all.
	Kinds []string `json:"kinds,omitempty"`
	// Times is how many calls it concerns; 0: all, until the faults are replaced.
	Times int `json:"times,omitempty"`
	// DelayMS is that of Slow, in milliseconds.
	DelayMS int `json:"delayMs,omitempty"`

	left     int
	language *Language
}

// Switch holds the faults of a bank. It is safe for concurrent use.
type Switch struct {
	language *Language
	mu       sync.Mutex
	faults   []Fault
}

// New returns a switch without faults.
func New(l *Language) *Switch { return &Switch{language: l} }

// Deviations returns the deviations that the bank has.
func (s *Switch) Deviations() []Deviation { return slices.Clone(s.language.Deviations) }

// SetFaults replaces the faults; without one, answers are right. A call has the first one
// that concerns it. It fails for a deviation or a kind of calls that the bank does not have.
func (s *Switch) SetFaults(list ...Fault) error {
	list = slices.Clone(list)
	for i, f := range list {
		if !slices.Contains(s.language.Deviations, f.Deviation) || f.Times < 0 || f.DelayMS < 0 {
			return fmt.Errorf("faults: fault %d: the deviation is one of %q, times and delayMs are not negative", i, s.language.Deviations)
		}
		for _, kind := range f.Kinds {
			if s.language.HasKind != nil && !s.language.HasKind(kind) {
				return fmt.Errorf("faults: fault %d: no call has the kind %q", i, kind)
			}
		}
		list[i].left, list[i].language = f.Times, s.language
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = list
	return nil
}

// Before returns the fault in place of the answer to a call. usual says that faults without
// kinds concern it.
func (s *Switch) Before(kind string, usual bool) Fault { return s.take(kind, usual, true) }

// After returns the fault of the answer to a call that succeeded.
func (s *Switch) After(kind string, usual bool) Fault { return s.take(kind, usual, false) }

func (s *Switch) take(kind string, usual, before bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		concerned := slices.Contains(f.Kinds, kind) || len(f.Kinds) == 0 && usual
		if !concerned || f.isBefore() != before || f.Times > 0 && f.left == 0 {
			continue
		}
		f.left--
		return *f
	}
	return Fault{}
}

func (f Fault) isBefore() bool {
	_, known := statuses[f.Deviation]
	return known || slices.Contains(f.language.Instead, f.Deviation)
}
