package collection

import (
	"fmt"
	"time"
)

// Event is something that happened to a collection. The types below are the
// closed set.
type Event interface{ event() }

// Waits says that the person has to do something; In is a waiting status.
type Waits struct{ In Status }

// Reads says that the bank is being read.
type Reads struct{}

// Finished says that all that could be read was read. In is a success status; the data
// is kept until KeepUntil.
type Finished struct {
	In        Status
	KeepUntil time.Time
}

// FailedWith says that the collection ended without data. In is a failure or
// user-action status.
type FailedWith struct{ In Status }

// Stopped says that the client or the user stopped the collection.
type Stopped struct{}

// Ticked says that only time has passed.
type Ticked struct{}

func (Waits) event()      {}
func (Reads) event()      {}
func (Finished) event()   {}
func (FailedWith) event() {}
func (Stopped) event()    {}
func (Ticked) event()     {}

// IllegalError says that an event cannot happen in a status.
type IllegalError struct {
	Status Status
	Event  Event
}

// Error implements error.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("collection: %T cannot happen in %s", e.Event, e.Status)
}

// leaseSlack is how much later than its lease a collection is ended: polls are
// written down at most every 10 s, so the row may be that much behind the truth.
const leaseSlack = 10 * time.Second

// LeaseEnds is the moment at which a leased collection is ended when no further
// poll was written down; zero for one that is not leased.
func (c Collection) LeaseEnds() time.Time {
	if !c.Leased() {
		return time.Time{}
	}
	return c.PolledAt.Add(Lease + leaseSlack)
}

// Apply is the state machine of docs/reference/api.md 5.7: it returns the
// collection after the event at the time now, or an *IllegalError and the
// collection unchanged. The completed statuses are reached from COLLECTING only; a
// terminal status stays. Ticked ends a leased collection that nobody polls:
// AUTHENTICATION_TIMEOUT while it waits for the person, FAILED otherwise
// (docs/reference/api.md 5.6).
func (c Collection) Apply(e Event, now time.Time) (Collection, error) {
	if c.Status.Terminal() {
		if _, tick := e.(Ticked); tick {
			return c, nil
		}
		return c, &IllegalError{c.Status, e}
	}
	switch e := e.(type) {
	case Waits:
		if e.In.Class() == Waiting {
			return c.to(e.In, now), nil
		}
	case Reads:
		return c.to(Collecting, now), nil
	case Finished:
		if c.Status == Collecting && e.In.Class() == Success {
			c.DataUntil = e.KeepUntil
			return c.to(e.In, now), nil
		}
	case FailedWith:
		if class := e.In.Class(); class == Failure || class == UserAction {
			return c.to(e.In, now), nil
		}
	case Stopped:
		return c.to(AuthenticationCancelled, now), nil
	case Ticked:
		if !c.Leased() || now.Before(c.LeaseEnds()) {
			return c, nil
		}
		if c.Status.Class() == Waiting {
			return c.to(AuthenticationTimeout, now), nil
		}
		return c.to(Failed, now), nil
	}
	return c, &IllegalError{c.Status, e}
}

func (c Collection) to(s Status, now time.Time) Collection {
	if c.Status != s {
		c.Status, c.StatusChangedAt = s, now
	}
	return c
}
