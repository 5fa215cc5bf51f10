package aspsp

import (
	"errors"
	"time"

	"samla/internal/sandbox/persona"
)

// ConsentStatus is consentStatus of the standard (docs/reference/banks.md 4).
type ConsentStatus string

// The statuses.
const (
	Received        ConsentStatus = "received"
	Partly          ConsentStatus = "partiallyAuthorised" // one of two persons has signed
	Rejected        ConsentStatus = "rejected"
	Valid           ConsentStatus = "valid"
	RevokedByPSU    ConsentStatus = "revokedByPsu"
	Expired         ConsentStatus = "expired"
	TerminatedByTPP ConsentStatus = "terminatedByTpp"
)

// Final reports whether a consent of this status never changes again.
func (s ConsentStatus) Final() bool { return s != Received && s != Partly && s != Valid }

// waits reports whether the consent waits for a signature.
func (s ConsentStatus) waits() bool { return s == Received || s == Partly }

const (
	// authorizeWithin is how long a consent waits for its authorisation to start. After
	// that BankID's time limits apply.
	authorizeWithin = 15 * time.Minute
	// oneOffLifetime is how long a one-off consent can be used.
	oneOffLifetime = time.Hour
	// coSignWithin is how long a consent waits for its second signature.
	coSignWithin = 30 * 24 * time.Hour
)

// Consent is one consent as the bank stores it.
type Consent struct {
	ID          string        `json:"id"`
	TPP         string        `json:"tpp"`       // organizationIdentifier
	RequestID   string        `json:"requestId"` // X-Request-ID of the call that created it
	Fingerprint string        `json:"print"`     // hash of that call, to distinguish a replay from another request
	Created     time.Time     `json:"created"`
	Status      ConsentStatus `json:"status"`
	Access      Access        `json:"access"` // as requested; once valid, as granted
	Recurring   bool          `json:"recurring"`
	Until       string        `json:"until"` // validUntil, that day included
	Frequency   int           `json:"frequency"`
	PSUID       string        `json:"psuId,omitempty"`       // PSU-ID of the call that created it
	Signer      string        `json:"signer,omitempty"`      // the person who signed
	SCA         time.Time     `json:"sca,omitzero"`          // time of the signature
	Changed     time.Time     `json:"changed"`               // lastActionDate
	RedirectURI string        `json:"redirectUri,omitempty"` // TPP-Redirect-URI
	NokURI      string        `json:"nokUri,omitempty"`      // TPP-Nok-Redirect-URI
}

// ErrState is returned for an event that is not possible in the current state.
var ErrState = errors.New("aspsp: the state does not allow this")

// The events of a consent.
type (
	// Authorized says that a PSU signed; the granted access replaces the requested one.
	// More says that another person must sign too.
	Authorized struct {
		Signer  string
		Granted Access
		More    bool
	}
	// AuthorisationFailed says that the authorisation failed. It is refused by a consent
	// that waits for a second signature: another try is possible.
	AuthorisationFailed struct{}
	// CoSignerRefused says that the second person refused to sign.
	CoSignerRefused struct{}
	// Revoked says that the PSU revoked the consent at the bank.
	Revoked struct{}
	// Terminated says that the TPP deleted the consent, or a newer recurring one
	// replaces it.
	Terminated struct{}
	// TimePassed says that the time limits are checked.
	TimePassed struct{}
)

// ConsentEvent is one of the events above.
type ConsentEvent interface{ consentEvent() }

func (Authorized) consentEvent()          {}
func (AuthorisationFailed) consentEvent() {}
func (CoSignerRefused) consentEvent()     {}
func (Revoked) consentEvent()             {}
func (Terminated) consentEvent()          {}
func (TimePassed) consentEvent()          {}

// Apply returns the consent after the event, or ErrState and the consent unchanged.
// TimePassed never fails. Apply is a pure function.
//
//	received --Authorized--> valid --Revoked----> revokedByPsu
//	   |                     ^ |-----Terminated-> terminatedByTpp
//	   |          Authorized | '-----TimePassed-> expired
//	   |--Authorized, more--> partiallyAuthorised
//	   |                         '--CoSignerRefused, TimePassed-> rejected
//	   |--AuthorisationFailed, TimePassed-------> rejected
//	   '--Terminated, also partiallyAuthorised--> terminatedByTpp
//
// The second person who signs must be another one; the consent belongs to the first.
func (c Consent) Apply(e ConsentEvent, now time.Time) (Consent, error) {
	to := c.Status
	switch e := e.(type) {
	case Authorized:
		switch {
		case c.Status == Received && e.More:
			c.Signer, c.Access, to = e.Signer, e.Granted, Partly
		case c.Status == Received:
			c.Signer, c.SCA, c.Access, to = e.Signer, now, e.Granted, Valid
		case c.Status == Partly && e.Signer != c.Signer:
			c.SCA, to = now, Valid
		default:
			return c, ErrState
		}
	case AuthorisationFailed:
		if c.Status != Received {
			return c, ErrState
		}
		to = Rejected
	case CoSignerRefused:
		if c.Status != Partly {
			return c, ErrState
		}
		to = Rejected
	case Revoked:
		if c.Status != Valid {
			return c, ErrState
		}
		to = RevokedByPSU
	case Terminated:
		if c.Status.Final() {
			return c, ErrState
		}
		to = TerminatedByTPP
	case TimePassed:
		to = c.statusAt(now)
	}
	if to != c.Status {
		c.Status, c.Changed = to, now
	}
	return c, nil
}

// statusAt returns the status at now if nothing but time has passed.
func (c Consent) statusAt(now time.Time) ConsentStatus {
	switch {
	case c.Status == Received && now.Sub(c.Created) > authorizeWithin:
		return Rejected
	case c.Status == Partly && now.Sub(c.Changed) > coSignWithin:
		return Rejected
	case c.Status == Valid && persona.DayAt(now).String() > c.Until:
		return Expired
	case c.Status == Valid && !c.Recurring && now.Sub(c.SCA) > oneOffLifetime:
		return Expired
	}
	return c.Status
}
