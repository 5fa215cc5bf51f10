package consent

import (
	"fmt"
	"time"
)

// MaxSCAAge is how long one authentication of the person lasts: after it the
// bank may ask anew and the consent is over (RTS art. 10a, docs/reference/api.md 4.2).
const MaxSCAAge = 180 * 24 * time.Hour

// Event is something that happened to a consent. The types below are the closed
// set.
type Event interface{ event() }

// Opening says that the consent is about to be created at a bank that does not
// recognise a repeat. It is written down first: whoever finds it must not try
// again.
type Opening struct{}

// Authorizing says that the authorization is about to be started at such a bank.
type Authorizing struct{}

// Unsent says that what Opening or Authorizing announced did not reach the bank, so
// that it can be tried again.
type Unsent struct{}

// Opened says that the bank has created the consent; the authorisation comes next.
type Opened struct{}

// Instructed says that the bank has given the person something to act on.
type Instructed struct{}

// Granted says that the bank calls the consent valid. Scope is what was really
// granted, ValidUntil the moment the bank's validity ends.
type Granted struct {
	Scope      Scope
	ValidUntil time.Time
}

// FailedWith says that the consent will never be authorized. Cause is CauseFailed
// when it is empty; otherwise CauseTime, or what the bank said of the consent.
type FailedWith struct {
	Code  FailureCode
	Cause Cause
}

// Withdrawn says that the consent was revoked. Cause is CauseUser, CauseUserErased,
// CauseOneTime, CauseBankRevoked or CauseBankRefused.
type Withdrawn struct{ Cause Cause }

// Expiry says that an authorized consent can be used no longer. Cause is CauseTime,
// CauseValidity, CauseBankExpired, CauseBankRefused or CauseNewSignature.
type Expiry struct{ Cause Cause }

// Ticked says that only time has passed.
type Ticked struct{}

func (Opening) event()     {}
func (Authorizing) event() {}
func (Unsent) event()      {}
func (Opened) event()      {}
func (Instructed) event()  {}
func (Granted) event()     {}
func (FailedWith) event()  {}
func (Withdrawn) event()   {}
func (Expiry) event()      {}
func (Ticked) event()      {}

// IllegalError says that an event cannot happen in a status, or has a cause that
// is not one of its own.
type IllegalError struct {
	Status Status
	Event  Event
}

// Error implements error.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("consent: %T cannot happen in %s", e.Event, e.Status)
}

// Apply is the state machine: it returns the consent after the event at the
// time now, or an *IllegalError and the consent unchanged. It touches Status,
// Step, times, Granted and Failure; Rev and WakeAt belong to the caller.
//
// Time is part of the machine: a Ticked event ends an authorisation whose time
// is over (FAILED with AUTHENTICATION_TIMEOUT, never EXPIRED) and an
// authorized consent past its expiry (EXPIRED). Granted after the time-out is
// still a grant: the person signed and the bank says so.
func (c Consent) Apply(e Event, now time.Time) (Consent, error) {
	if !c.legalCause(e) {
		return c, &IllegalError{c.Status, e}
	}
	switch e := e.(type) {
	case Opening:
		if c.Status == Initiated && c.Step == StepOpen {
			c.Step = StepOpening
			return c, nil
		}
	case Authorizing:
		if c.Status == Initiated && c.Step == StepAuthorize {
			c.Step = StepAuthorizing
			return c, nil
		}
	case Unsent:
		if back, ok := map[Step]Step{StepOpening: StepOpen, StepAuthorizing: StepAuthorize}[c.Step]; ok {
			c.Step = back
			return c, nil
		}
	case Opened:
		if c.Status == Initiated && (c.Step == StepOpen || c.Step == StepOpening) {
			c.Step = StepAuthorize
			return c, nil
		}
	case Instructed:
		if c.Status == Initiated && (c.Step == StepAuthorize || c.Step == StepAuthorizing) {
			c.Step = StepWatch
			return c.to(AwaitingAuthorization, now), nil
		}
	case Granted:
		if c.Status == AwaitingAuthorization {
			scope := e.Scope
			c.Granted = &scope
			c.Step = StepKeep
			c.SCAExpiresAt = now.Add(MaxSCAAge)
			c.ExpiresAt = earlier(e.ValidUntil, c.SCAExpiresAt)
			c = c.to(Authorized, now)
			if !now.Before(c.ExpiresAt) {
				return c.Apply(Expiry{CauseTime}, now)
			}
			return c, nil
		}
	case FailedWith:
		if c.Status.Pending() {
			c.Failure, c.Step = e.Code, StepEnd
			return c.to(Failed, now), nil
		}
	case Withdrawn:
		if !c.Status.Final() {
			c.RevokedAt, c.Step = now, StepEnd
			return c.to(Revoked, now), nil
		}
	case Expiry:
		if c.Status == Authorized {
			c.Step = StepEnd
			return c.to(Expired, now), nil
		}
	case Ticked:
		switch {
		case c.Status.Pending() && !now.Before(c.AuthorizeBy):
			return c.Apply(FailedWith{AuthenticationTimeout, CauseTime}, now)
		case c.Status == Authorized && !now.Before(c.ExpiresAt):
			return c.Apply(Expiry{CauseValidity}, now)
		}
		return c, nil
	}
	return c, &IllegalError{c.Status, e}
}

func (c Consent) to(s Status, now time.Time) Consent {
	c.Status, c.StatusChangedAt = s, now
	return c
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
