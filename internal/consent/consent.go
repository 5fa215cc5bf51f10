// Package consent owns PSD2 consents: what one is, and the pure state machine
// that says what may happen to it (docs/reference/api.md 4.2). Package authorize drives it
// against a bank, package store keeps it.
package consent

import (
	"fmt"
	"time"
)

// Status is a consent's public status.
type Status string

// The statuses of docs/reference/api.md 4.2.
const (
	Initiated             Status = "INITIATED"
	AwaitingAuthorization Status = "AWAITING_AUTHORIZATION"
	Authorized            Status = "AUTHORIZED"
	Revoked               Status = "REVOKED"
	Expired               Status = "EXPIRED"
	Failed                Status = "FAILED"
)

// Statuses lists the whole enum in the order of docs/reference/api.md 4.2.
func Statuses() []Status {
	return []Status{Initiated, AwaitingAuthorization, Authorized, Revoked, Expired, Failed}
}

// Pending reports whether a client keeps polling in this status.
func (s Status) Pending() bool { return s == Initiated || s == AwaitingAuthorization }

// Final reports whether nothing follows this status.
func (s Status) Final() bool { return s == Revoked || s == Expired || s == Failed }

// FailureCode is the closed set of ConsentStatusError.code (docs/reference/api.md 4.1).
type FailureCode string

// The failure codes of docs/reference/api.md 4.1.
const (
	AuthenticationTimeout   FailureCode = "AUTHENTICATION_TIMEOUT"
	AuthenticationCancelled FailureCode = "AUTHENTICATION_CANCELLED"
	AuthenticationConflict  FailureCode = "AUTHENTICATION_CONFLICT"
	AuthenticationMismatch  FailureCode = "AUTHENTICATION_MISMATCH"
	AuthenticationFailed    FailureCode = "AUTHENTICATION_FAILED"
	Rejected                FailureCode = "CONSENT_REJECTED"
	BankUnavailable         FailureCode = "BANK_UNAVAILABLE"
	BankError               FailureCode = "BANK_ERROR"
	InternalError           FailureCode = "INTERNAL_ERROR"
)

var failureText = map[FailureCode]string{
	AuthenticationTimeout:   "User did not complete BankID authentication within the time limit",
	AuthenticationCancelled: "The user cancelled the authentication",
	AuthenticationConflict:  "Another authentication of the same person was going on",
	AuthenticationMismatch:  "Somebody else than the given person signed",
	AuthenticationFailed:    "The authentication did not succeed",
	Rejected:                "The consent was rejected by the user or the bank",
	BankUnavailable:         "The bank could not be reached",
	BankError:               "The bank answered with a fault",
	InternalError:           "Something went wrong on our side",
}

// Message is the text for people of a failure code.
func (c FailureCode) Message() string { return failureText[c] }

// Scope is what a consent covers (Psd2AisConsentScope, docs/reference/api.md 4.1).
type Scope struct {
	AccountIDs   []string `json:"accountIds,omitempty"` // nil = every account at the bank
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
}

// Step is the cursor of the flow behind the public status: what has to be done
// next at the bank. It is stored before the bank is called, so that after a crash
// the same call follows and not another one.
//
// A row whose step a binary does not know is left alone: time alone changes it.
// So an older binary that runs beside this one does no harm to newer steps.
type Step string

// The steps in their order. OPENING and AUTHORISING are for banks where a repeat
// would make a second consent or authorization (Profile.ReplaySafe is false): the
// call may have been sent and must not be sent again.
const (
	StepOpen        Step = "OPEN" // create the consent at the bank
	StepOpening     Step = "OPENING"
	StepAuthorize   Step = "AUTHORISE" // start the authorization
	StepAuthorizing Step = "AUTHORISING"
	StepWatch       Step = "WATCH" // follow the authorization to its end
	StepKeep        Step = "KEEP"  // authorized: check daily, expire on time
	StepEnd         Step = "END"   // nothing is left to do
)

// ID is our id of a consent, a UUID of version 7. It is a type of its own so that
// it cannot be sent in place of a RemoteID.
type ID string

// RemoteID is the id that the institution gave a consent: a secret, never shown to
// a client.
type RemoteID string

// Format implements fmt.Formatter for every verb: the id opens the person's
// accounts together with our certificate and must not be logged.
func (RemoteID) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[remote consent id]") }

// Consent is one consent of a user at a company.
type Consent struct {
	ID           ID
	ClientID     string
	UserID       string // empty only inside a collection that belongs to nobody (docs/reference/api.md 5.2)
	CollectionID string // set when the consent lives inside a one-time collection
	Company      string
	LoginMethod  string // as asked for, may be empty

	Status          Status
	Step            Step
	Requested       Scope
	Granted         *Scope // nil until authorized
	CreatedAt       time.Time
	StatusChangedAt time.Time
	AuthorizeBy     time.Time // after this an unfinished authorisation has timed out
	ExpiresAt       time.Time // the expected expiry until authorized, then the bank's
	SCAExpiresAt    time.Time // 180 days after the person signed (RTS art. 10a)
	RevokedAt       time.Time
	Failure         FailureCode // set in Failed only

	// OpenRequestID and AuthorizeRequestID are the X-Request-IDs of the two bank
	// calls that make something. They are stored before the first attempt and
	// used again by every repeat, so that the bank can tell a repeat.
	OpenRequestID      string
	AuthorizeRequestID string

	Sealed []byte // Secret, sealed under the subject's key

	Rev    int64     // grows with every change of state; the store compares it
	WakeAt time.Time // when the flow looks at the row again; zero = never
}

// Subject names whose data key seals the consent's secrets: the user, or the
// collection where there is no user.
func (c Consent) Subject() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.CollectionID
}

// Scope is what was granted, or before that requested.
func (c Consent) Scope() Scope {
	if c.Granted != nil {
		return *c.Granted
	}
	return c.Requested
}
