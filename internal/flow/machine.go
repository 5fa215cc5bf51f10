package flow

import (
	"errors"
	"fmt"
	"time"

	"samla/internal/consent"
)

// ErrStale is returned for an act on a state that is not the one that the person has seen.
var ErrStale = errors.New("flow: the state has changed")

// Event is an event of the machine. The types below are the closed set.
type Event interface{ event() }

// Choose is the event that the person has chosen an institution.
type Choose struct{ Company string }

// Change is the event that the person wants another institution, or one more.
type Change struct{}

// Begin is the event that the person has pressed approve, or wants to sign in another way.
// ConsentID and CollectionID are those of what has begun.
type Begin struct {
	Method       string
	OnDevice     bool
	ConsentID    consent.ID
	CollectionID string
}

// Prefer is the event that the person wants to sign on this device, or on another one, with
// the order that goes on.
type Prefer struct{ OnDevice bool }

// See is the event that the institution's side stands as the Sight says.
type See struct{ Sight }

// Read is the event that a collection reads under the permission that was given.
type Read struct{ CollectionID string }

// Cancel is the event that the person has stopped.
type Cancel struct{}

// Again is the event that the person tries again, with the same institution.
type Again struct{}

// Leave is the event that the person goes back to the client.
type Leave struct{}

// Tick is the event that time has passed.
type Tick struct{}

func (Choose) event() {}
func (Change) event() {}
func (Begin) event()  {}
func (Prefer) event() {}
func (See) event()    {}
func (Read) event()   {}
func (Cancel) event() {}
func (Again) event()  {}
func (Leave) event()  {}
func (Tick) event()   {}

// IllegalError reports an event that is not possible in a state.
type IllegalError struct {
	State State
	Event Event
}

// Error implements error.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("flow: %T cannot happen in %s", e.Event, e.State)
}

// Act applies what a person has done who saw the state with this rev. An act on another
// state changes nothing and returns ErrStale; only Cancel stops whatever goes on.
func (f Flow) Act(rev int64, e Event, now time.Time) (Flow, error) {
	if _, cancels := e.(Cancel); !cancels && rev != f.Rev {
		return f, ErrStale
	}
	return f.Apply(e, now)
}

// Apply returns the flow after an event at the time now, or the flow unchanged and an
// *IllegalError. Rev stays: the store counts it. Nothing follows Ended, and no approval
// follows Reading but questions of the institution.
func (f Flow) Apply(e Event, now time.Time) (Flow, error) {
	next := f
	switch e := e.(type) {
	case Tick:
		if f.State != Ended && !now.Before(f.SeenAt.Add(Idle)) {
			next.to(Ended, now)
		}
		return next, nil
	case Choose:
		if (f.State == Start || f.State == Review && !f.fixed()) && e.Company != "" {
			next.reset()
			next.Company = e.Company
			next.to(Review, now)
			return next, nil
		}
	case Change:
		if (f.State == Review || f.State.Over()) && !f.fixed() {
			next.reset()
			next.Company = ""
			next.to(Start, now)
			return next, nil
		}
	case Begin:
		if f.State == Review || f.State == QR || f.State == App || f.State == InApp {
			next.reset()
			next.Method, next.OnDevice, next.ConsentID, next.CollectionID = e.Method, e.OnDevice, e.ConsentID, e.CollectionID
			next.to(Opening, now)
			return next, nil
		}
	case Prefer:
		if f.State == QR || f.State == App || f.State == InApp {
			next.OnDevice = e.OnDevice
			if f.State == QR || f.State == App {
				next.to(preferred(e.OnDevice), now)
			}
			return next, nil
		}
	case See:
		return f.see(e, now)
	case Read:
		if f.State == Returned && f.Signed && f.CollectionID == "" && e.CollectionID != "" {
			next.CollectionID = e.CollectionID
			next.to(Reading, now)
			return next, nil
		}
	case Cancel:
		if f.State != Ended && !f.State.Over() {
			next.to(Cancelled, now)
			return next, nil
		}
	case Again:
		if f.State == Failed || f.State == Cancelled {
			next.reset()
			next.to(Review, now)
			if f.Company == "" {
				next.to(Start, now)
			}
			return next, nil
		}
	case Leave:
		if f.State != Ended {
			next.to(Ended, now)
			return next, nil
		}
	}
	return f, &IllegalError{f.State, e}
}

// see follows the institution's side. A sight that comes late is no error: it changes
// nothing.
func (f Flow) see(e See, now time.Time) (Flow, error) {
	if !e.valid() {
		return f, &IllegalError{f.State, e}
	}
	switch {
	case f.State == Reading && e.State.Approving() && !e.State.Asks() && e.State != Bank && e.State != InApp:
		return f, nil // a word of before
	case !f.State.Approving() && f.State != Reading:
		return f, nil
	}
	next := f
	next.Question, next.Failure, next.Signed = e.Question, e.Failure, f.Signed || e.Signed
	next.to(e.State, now)
	return next, nil
}

// fixed reports whether there is nothing to choose.
func (f Flow) fixed() bool { return len(f.Terms.Companies) == 1 }

// reset forgets an approval, and how it ended.
func (f *Flow) reset() {
	f.ConsentID, f.CollectionID, f.Question, f.Failure, f.Signed = "", "", "", "", false
}

func (f *Flow) to(s State, now time.Time) {
	if s == f.State {
		return
	}
	f.State, f.StateAt = s, now
	if s != Failed {
		f.Failure = ""
	}
	if !s.Asks() {
		f.Question = ""
	}
	if s == Ended {
		f.Sealed = nil
	}
}

func preferred(onDevice bool) State {
	if onDevice {
		return App
	}
	return QR
}
