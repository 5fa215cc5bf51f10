package aspsp

import (
	"errors"
	"time"

	"samla/internal/sandbox/persona"
)

// ConsentStatus is consentStatus of the standard (docs/reference/banks.md 4).
type ConsentStatus string

// The statuses this bank uses. partiallyAuthorised is not among them: one
// signature is enough here.
const (
	Received        ConsentStatus = "received"
	Rejected        ConsentStatus = "rejected"
	Valid           ConsentStatus = "valid"
	RevokedByPSU    ConsentStatus = "revokedByPsu"
	Expired         ConsentStatus = "expired"
	TerminatedByTPP ConsentStatus = "terminatedByTpp"
)

// Final tells whether a consent of this status never changes again.
func (s ConsentStatus) Final() bool { return s != Received && s != Valid }

const (
	// authoriseWithin is how long a consent waits for its authorisation to
	// start. BankID's own limits rule once it has started.
	authoriseWithin = 15 * time.Minute
	// oneOffFor is how long a one-off consent can be used.
	oneOffFor = time.Hour
)

// Consent is one consent as the bank keeps it.
type Consent struct {
	ID        string        `json:"id"`
	TPP       string        `json:"tpp"`       // organizationIdentifier
	RequestID string        `json:"requestId"` // X-Request-ID of the call that created it
	Print     string        `json:"print"`     // fingerprint of that call, to tell a replay from another request
	Created   time.Time     `json:"created"`
	Status    ConsentStatus `json:"status"`
	Access    Access        `json:"access"` // as asked for; once valid, as granted
	Recurring bool          `json:"recurring"`
	Until     string        `json:"until"` // validUntil, that day included
	Frequency int           `json:"frequency"`
	PSUID     string        `json:"psuId,omitempty"`  // PSU-ID of the call that created it
	Signer    string        `json:"signer,omitempty"` // who signed
	SCA       time.Time     `json:"sca,omitzero"`     // when
	Changed   time.Time     `json:"changed"`          // lastActionDate
}

// ErrState is returned when an event does not fit the state it meets.
var ErrState = errors.New("aspsp: the state does not allow this")

// The events of a consent.
type (
	// Authorised: the PSU signed; what is granted replaces what was asked for.
	Authorised struct {
		Signer  string
		Granted Access
	}
	// Refused: the authorisation failed.
	Refused struct{}
	// Withdrawn: the PSU revokes at the bank.
	Withdrawn struct{}
	// Ended: the TPP deletes it, or a newer recurring consent takes its place.
	Ended struct{}
	// Passed: time went by.
	Passed struct{}
)

// ConsentEvent is one of the events above.
type ConsentEvent interface{ consentEvent() }

func (Authorised) consentEvent() {}
func (Refused) consentEvent()    {}
func (Withdrawn) consentEvent()  {}
func (Ended) consentEvent()      {}
func (Passed) consentEvent()     {}

// Apply returns the consent after the event, or ErrState and the consent
// unchanged. Passed always fits. It is a pure function.
//
//	received --Authorised--> valid --Withdrawn--> revokedByPsu
//	   |                       |-----Ended------> terminatedByTpp
//	   |                       '-----Passed-----> expired
//	   |--Refused, Passed--> rejected
//	   '--Ended------------> terminatedByTpp
func (c Consent) Apply(e ConsentEvent, now time.Time) (Consent, error) {
	to := c.Status
	switch e := e.(type) {
	case Authorised:
		if c.Status != Received {
			return c, ErrState
		}
		c.Signer, c.SCA, c.Access = e.Signer, now, e.Granted
		to = Valid
	case Refused:
		if c.Status != Received {
			return c, ErrState
		}
		to = Rejected
	case Withdrawn:
		if c.Status != Valid {
			return c, ErrState
		}
		to = RevokedByPSU
	case Ended:
		if c.Status.Final() {
			return c, ErrState
		}
		to = TerminatedByTPP
	case Passed:
		to = c.lapsed(now)
	}
	if to != c.Status {
		c.Status, c.Changed = to, now
	}
	return c, nil
}

// lapsed is the status that time alone leads to.
func (c Consent) lapsed(now time.Time) ConsentStatus {
	switch {
	case c.Status == Received && now.Sub(c.Created) > authoriseWithin:
		return Rejected
	case c.Status == Valid && persona.DayAt(now).String() > c.Until:
		return Expired
	case c.Status == Valid && !c.Recurring && now.Sub(c.SCA) > oneOffFor:
		return Expired
	}
	return c.Status
}
