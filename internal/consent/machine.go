package consent

import (
	"fmt"
	"time"
)

// MaxSCAAge is how long an authentication of the person is valid. After it the bank
// can require a new one, and the consent expires (RTS art. 10a,
// docs/reference/api.md 4.2).
const MaxSCAAge = 180 * 24 * time.Hour

// Event is an event of the state machine. The types below are the closed set.
type Event interface{ event() }

// Opening is the event that the request to open the consent is about to be sent to a
// bank that does not recognise a retry. It is stored before the request, which must
// not be sent a second time.
type Opening struct{}

// Authorizing is the same for the request to start the authorization.
type Authorizing struct{}

// Unsent is the event that the request after Opening or Authorizing did not reach the
// bank, so that it can be sent again.
type Unsent struct{}

// Opened is the event that the bank has created the consent.
type Opened struct{}

// Instructed is the event that the authorization has started and there are
// instructions for the person, or, after Renewing, that the bank starts no other one.
type Instructed struct{}

// Renewing is the event that another authorization is about to be started in place of
// one that nobody has scanned in time. RequestID is the X-Request-ID of that request.
type Renewing struct {
	RequestID string
	Visit     *Visit // of the new authorization; nil if the person is sent nowhere
}

// Reopening is Renewing where the bank has ended the consent as well, so that another
// one is opened at the bank first.
type Reopening struct {
	OpenRequestID, RequestID string
	Visit                    *Visit // as in Renewing
}

// LoginStarted is the event that the login before the consent has started.
type LoginStarted struct{}

// Visited is the event that a browser was on the way to the institution's page, or back,
// which changes nothing but Visit.
type Visited struct{ Visit Visit }

// Brought is the event that there is something to exchange at the institution: the person
// came back, or the authorization ended with a code. Visit is the way then; nil = unchanged.
type Brought struct{ Visit *Visit }

// Exchanged is the event that it was exchanged. Login: that was the login before the
// consent, which is opened next, with other request ids and by a new way.
type Exchanged struct {
	Login                    bool
	OpenRequestID, RequestID string
	Visit                    *Visit
}

// Listed is the event that the bank has listed the accounts that the consent can name, for
// the person to choose from.
type Listed struct{}

// Chosen is the event that the person has chosen accounts. They are what is asked for.
type Chosen struct{ AccountIDs []string }

// PartlySigned is the event that somebody else has to sign too, until Until.
type PartlySigned struct{ Until time.Time }

// Granted is the event that the consent is valid at the bank. Scope is the granted
// scope, ValidUntil the end of the validity at the bank; nil and zero if the bank does
// not say. Only what was asked for here counts of them.
type Granted struct {
	Scope      *Scope
	ValidUntil time.Time
	Person     string // see Consent.Person
}

// FailedWith is the event that the consent will never be authorized. Cause is
// CauseTime, CauseBankRevoked, CauseBankExpired or CauseBankRejected; empty means
// CauseFailed.
type FailedWith struct {
	Code  FailureCode
	Cause Cause
}

// Revocation is the event that the consent was revoked. Cause is CauseUser,
// CauseUserErased, CauseOneTime, CauseBankRevoked or CauseBankRefused.
type Revocation struct{ Cause Cause }

// Expiry is the event that an authorized consent can no longer be used. Cause is
// CauseTime, CauseValidity, CauseBankExpired, CauseBankRefused or CauseNewSignature.
type Expiry struct{ Cause Cause }

// Replaced is the event that the consent By, which renews this one, is authorized. An
// authorized consent ends with CauseRenewed; one that has ended keeps its status.
type Replaced struct{ By ID }

// Shortened is the event that the bank has set an earlier end of the validity.
type Shortened struct{ Until time.Time }

// Recognized is the event that it became known who has given the authorized consent
// (Consent.Person).
type Recognized struct{ Person string }

// Warning is the event that the client is told that the validity ends soon.
type Warning struct{}

// Ticked is the event that only time has passed.
type Ticked struct{}

func (Opening) event()      {}
func (Authorizing) event()  {}
func (Unsent) event()       {}
func (Opened) event()       {}
func (Instructed) event()   {}
func (Renewing) event()     {}
func (Reopening) event()    {}
func (LoginStarted) event() {}
func (Visited) event()      {}
func (Brought) event()      {}
func (Exchanged) event()    {}
func (Listed) event()       {}
func (Chosen) event()       {}
func (PartlySigned) event() {}
func (Granted) event()      {}
func (FailedWith) event()   {}
func (Revocation) event()   {}
func (Expiry) event()       {}
func (Replaced) event()     {}
func (Shortened) event()    {}
func (Recognized) event()   {}
func (Warning) event()      {}
func (Ticked) event()       {}

// IllegalError reports an event that is not possible in a status, or whose cause is
// not one that it can have.
type IllegalError struct {
	Status Status
	Event  Event
}

// Error implements error.
func (e *IllegalError) Error() string {
	return fmt.Sprintf("consent: %T cannot happen in %s", e.Event, e.Status)
}

// Apply is the state machine. It returns the consent after the event at the time now,
// or an *IllegalError and the consent unchanged. It sets Status, Step, times, Granted,
// RenewedBy and Failure; the caller sets Rev and WakeAt.
//
// Ticked ends an authorization whose time is over (FAILED with
// AUTHENTICATION_TIMEOUT, never EXPIRED) and an authorized consent past its expiry
// (EXPIRED). Granted after AuthorizeBy is still a grant, because the person has
// signed and the bank has confirmed it. Granted for none of the accounts that were asked
// for ends the consent (FAILED with CONSENT_REJECTED).
func (c Consent) Apply(e Event, now time.Time) (Consent, error) {
	if !c.legalCause(e) {
		return c, &IllegalError{c.Status, e}
	}
	switch e := e.(type) {
	case Opening:
		if c.Status.Pending() && c.Step == StepOpen {
			c.Step = StepOpening
			return c, nil
		}
	case Authorizing:
		if c.Status.Pending() && c.Step == StepAuthorize {
			c.Step = StepAuthorizing
			return c, nil
		}
		if c.Status.Pending() && c.Step == StepLogin {
			c.Step = StepLoggingIn
			return c, nil
		}
	case Unsent:
		if back, ok := map[Step]Step{StepOpening: StepOpen, StepAuthorizing: StepAuthorize, StepLoggingIn: StepLogin}[c.Step]; ok {
			c.Step = back
			return c, nil
		}
	case Opened:
		if c.Status.Pending() && (c.Step == StepOpen || c.Step == StepOpening) {
			c.Step = StepAuthorize
			return c, nil
		}
	case Instructed:
		if c.Status.Pending() && (c.Step == StepAuthorize || c.Step == StepAuthorizing) {
			c.Step = StepWatch
			if c.Status == AwaitingAuthorization {
				return c, nil
			}
			return c.to(AwaitingAuthorization, now), nil
		}
	case Renewing:
		if c.Status == AwaitingAuthorization && c.Step == StepWatch {
			c.Step, c.AuthorizeRequestID, c.Visit = StepAuthorize, e.RequestID, e.Visit
			return c, nil
		}
	case Reopening:
		if c.Status == AwaitingAuthorization && c.Step == StepWatch {
			c.Step, c.OpenRequestID, c.AuthorizeRequestID, c.Visit = StepOpen, e.OpenRequestID, e.RequestID, e.Visit
			return c, nil
		}
	case LoginStarted:
		if c.Status == Initiated && (c.Step == StepLogin || c.Step == StepLoggingIn) {
			c.Step = StepWatch
			return c.to(AwaitingAuthorization, now), nil
		}
	case Visited:
		if !c.Status.Final() && c.Visit != nil && c.Visit.Hash == e.Visit.Hash {
			c.Visit = &e.Visit
			return c, nil
		}
	case Brought:
		if c.Status == AwaitingAuthorization && c.Step == StepWatch {
			c.Step = StepComplete
			if e.Visit != nil {
				c.Visit = e.Visit
			}
			return c, nil
		}
	case Exchanged:
		if c.Status == AwaitingAuthorization && c.Step == StepComplete {
			if c.Step = StepWatch; e.Login {
				c.Step, c.OpenRequestID, c.AuthorizeRequestID, c.Visit = StepOpen, e.OpenRequestID, e.RequestID, e.Visit
			}
			return c, nil
		}
	case Listed:
		if c.Status == AwaitingAuthorization && c.Step == StepOpen && len(c.Requested.AccountIDs) == 0 {
			c.Step = StepChoose
			return c, nil
		}
	case Chosen:
		if c.Status == AwaitingAuthorization && c.Step == StepChoose && len(e.AccountIDs) > 0 {
			c.Step, c.Requested.AccountIDs = StepOpen, e.AccountIDs
			return c, nil
		}
	case PartlySigned:
		if c.Status == AwaitingAuthorization && c.Step == StepWatch && e.Until.After(c.AuthorizeBy) {
			c.AuthorizeBy = e.Until
			return c, nil
		}
	case Granted:
		if c.Status == AwaitingAuthorization {
			scope, ok := c.Requested.Grant(e.Scope)
			if !ok {
				return c.Apply(FailedWith{Code: Rejected}, now)
			}
			c.Granted, c.Person = &scope, e.Person
			c.Step = StepKeep
			c.SCAExpiresAt = now.Add(MaxSCAAge)
			c.ExpiresAt = earlier(earlier(e.ValidUntil, c.ExpiresAt), c.SCAExpiresAt)
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
	case Revocation:
		if !c.Status.Final() {
			c.RevokedAt, c.Step = now, StepEnd
			return c.to(Revoked, now), nil
		}
	case Expiry:
		if c.Status == Authorized {
			c.Step = StepEnd
			return c.to(Expired, now), nil
		}
	case Replaced:
		if c.RenewedBy != "" || !c.Renewable() || e.By == "" {
			break
		}
		c.RenewedBy = e.By
		if c.Status != Authorized {
			return c, nil
		}
		c.RevokedAt, c.Step = now, StepEnd
		return c.to(Revoked, now), nil
	case Shortened:
		if c.Status == Authorized && e.Until.After(now) && e.Until.Before(c.ExpiresAt) {
			c.ExpiresAt = e.Until
			return c, nil
		}
	case Recognized:
		if c.Status == Authorized && c.Person == "" && e.Person != "" {
			c.Person = e.Person
			return c, nil
		}
	case Warning:
		if c.Status == Authorized && !c.Warned.Equal(c.ExpiresAt) {
			c.Warned = c.ExpiresAt
			return c, nil
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
