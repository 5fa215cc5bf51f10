package collection

import (
	"fmt"
	"time"
)

// Event is an event of the state machine. The types below are the closed set.
type Event interface{ event() }

// Waits is the event that the person has to act. In is a waiting status.
type Waits struct{ In Status }

// Reads is the event that reading at the bank begins.
type Reads struct{}

// Finished is the event that everything that can be read was read. In is a success
// status. KeepUntil is the end of the retention of the data.
type Finished struct {
	Accounts  int // how many were read
	In        Status
	KeepUntil time.Time
}

// FailedWith is the event that the collection ended without data. In is a failure or
// user-action status.
type FailedWith struct{ In Status }

// Stopped is the event that the client or the user stopped the collection.
type Stopped struct{}

// Ticked is the event that only time has passed. Lease is the time after which a
// collection without a poll ends; ChoiceOpen says that the person has a method to choose
// in TWO_FACTOR_PENDING.
type Ticked struct {
	Lease      time.Duration
	ChoiceOpen bool
}

func (Waits) event()      {}
func (Reads) event()      {}
func (Finished) event()   {}
func (FailedWith) event() {}
func (Stopped) event()    {}
func (Ticked) event()     {}

// IllegalError reports an event that is not possible in a status.
type IllegalError struct {
	Status Status
	Event  Event
}

// Error implements error.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("collection: %T cannot happen in %s", e.Event, e.Status)
}

// leaseSlack is added to the lease before a collection ends, because polls are
// stored at most every 10 s.
const leaseSlack = 10 * time.Second

// LeaseEnds returns the time at which a leased collection ends if no further poll is
// stored. It is zero if the collection is not leased.
func (c Collection) LeaseEnds(lease time.Duration) time.Time {
	if !c.Leased() {
		return time.Time{}
	}
	return c.PolledAt.Add(lease + leaseSlack)
}

// Apply is the state machine of docs/reference/api.md 5.7. It returns the collection
// after the event at the time now, or an *IllegalError and the collection unchanged.
// Success statuses follow only COLLECTING; nothing follows a terminal status. Ticked
// ends a leased collection whose lease is over, as outOfTime says.
func (c Collection) Apply(e Event, now time.Time) (Collection, error) {
	if c.Status.Terminal() {
		if _, tick := e.(Ticked); tick {
			return c, nil
		}
		return c, &IllegalError{c.Status, e}
	}
	switch e := e.(type) {
	case Waits:
		if e.In.Class() == Waiting && mayWait(c.Status, e.In) {
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
		if !c.Leased() || now.Before(c.LeaseEnds(e.Lease)) {
			return c, nil
		}
		return c.to(outOfTime(c.Status, e.ChoiceOpen), now), nil
	}
	return c, &IllegalError{c.Status, e}
}

// mayWait reports whether a waiting status may follow (docs/reference/api.md 5.7): LOGIN
// is the first one, and while data is read it follows another one only.
func mayWait(after, in Status) bool {
	switch after {
	case in:
		return true
	case Running:
		return in == Login
	case Collecting:
		return in != Login
	}
	return true
}

// outOfTime returns the status after s if the client does not poll in time. Each waiting
// status has its own (docs/reference/api.md 5.6 and 5.7).
func outOfTime(s Status, choiceOpen bool) Status {
	switch {
	case s == TwoFactorPending && choiceOpen:
		return TwoFactorMethodSelectionTimeout
	case s == ContactFormPending:
		return ContactForm
	case s == CollectionInputPending:
		return CollectionInputTimeout
	case s.Class() == Waiting:
		return AuthenticationTimeout
	}
	return Failed
}

func (c Collection) to(s Status, now time.Time) Collection {
	if c.Status != s {
		c.Status, c.StatusChangedAt = s, now
	}
	return c
}
