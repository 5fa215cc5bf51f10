// Package consent owns PSD2 consents: the record of a consent, and its state machine,
// which is pure (docs/reference/api.md 4.2). Package authorize drives it with a bank,
// package store stores it.
package consent

import (
	"fmt"
	"time"
)

// Status is the public status of a consent.
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

// Statuses returns the whole enum in the order of docs/reference/api.md 4.2.
func Statuses() []Status {
	return []Status{Initiated, AwaitingAuthorization, Authorized, Revoked, Expired, Failed}
}

// Pending reports whether the consent still waits for its authorization.
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

// FailureCodes lists the closed set.
func FailureCodes() []FailureCode {
	return []FailureCode{AuthenticationTimeout, AuthenticationCancelled, AuthenticationConflict, AuthenticationMismatch, AuthenticationFailed,
		Rejected, BankUnavailable, BankError, InternalError}
}

// Message returns the text of a failure code for people.
func (c FailureCode) Message() string { return failureText[c] }

// Step is the position of the flow behind the public status: the next call to the
// bank. It is stored before the call, so that after a crash the same call follows and
// not another one.
//
// A binary that does not know the step of a row applies only Ticked to it. So an
// older binary that runs beside this one does no harm to newer steps.
type Step string

// The steps in their order. OPENING and AUTHORISING are for banks where a retry
// would create a second consent or authorization (Profile.ReplaySafe is false): the
// request may have been sent and must not be sent again.
const (
	StepLogin       Step = "LOGIN" // start the login before the consent, where the bank wants one
	StepLoggingIn   Step = "LOGGING_IN"
	StepOpen        Step = "OPEN" // create the consent at the bank
	StepOpening     Step = "OPENING"
	StepChoose      Step = "CHOOSE"    // wait for the person to choose the accounts, after the login and before OPEN
	StepAuthorize   Step = "AUTHORISE" // start the authorization
	StepAuthorizing Step = "AUTHORISING"
	StepWatch       Step = "WATCH"    // watch the authorization until it ends
	StepComplete    Step = "COMPLETE" // exchange what the person came back with, or what the authorization ended with
	StepKeep        Step = "KEEP"     // check the authorized consent daily, and expire it
	StepEnd         Step = "END"      // nothing is left to do
)

// ID is our id of a consent, a version 7 UUID. It is a type of its own so that it
// cannot be confused with a RemoteID.
type ID string

// RemoteID is the institution's id of a consent. It is secret and never shown to a
// client.
type RemoteID string

// Format implements fmt.Formatter for every verb. It hides the id: together with our
// certificate it gives access to the person's accounts.
func (RemoteID) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[remote consent id]") }

// Consent is one consent of a user at a company.
type Consent struct {
	ID           ID
	ClientID     string
	UserID       string // empty only with a collection that belongs to no user (docs/reference/api.md 5.2)
	CollectionID string // set if the consent belongs to a one-time collection
	Company      string
	LoginMethod  string // as requested; may be empty

	Status          Status
	Step            Step
	Requested       Scope
	Granted         *Scope // nil until authorized
	CreatedAt       time.Time
	StatusChangedAt time.Time
	AuthorizeBy     time.Time // end of the time for the authorization
	ExpiresAt       time.Time // until authorized the expected expiry, then that of the bank
	SCAExpiresAt    time.Time // 180 days after the person signed (RTS art. 10a)
	RevokedAt       time.Time
	Failure         FailureCode // set only in Failed

	// Lineage is the first consent of the row of renewals that this one belongs to,
	// empty in the first one itself: see LineageID. Renews is the consent that this
	// one replaces when it is authorized, RenewedBy the one that has replaced it.
	Lineage, Renews, RenewedBy ID
	// Warned is the end of the validity that the person's client was warned of.
	Warned time.Time

	// Person is a keyed hash of the personal number of who has given it, if the institution
	// made sure of that; else empty.
	Person string

	// Purpose is what the data is for, in the words of the client (docs/reference/api.md 13);
	// empty if the consent was asked for without the connect page.
	Purpose string

	// Visit is the person's way to the page of the institution; nil if there is none.
	Visit *Visit

	// OpenRequestID and AuthorizeRequestID are the X-Request-IDs of the two requests
	// that create something at the bank. They are stored before the first attempt,
	// and each retry sends them again, so that the bank recognises a retry.
	OpenRequestID      string
	AuthorizeRequestID string

	Sealed []byte // Secret, sealed under the key of the subject; empty in a final status

	Rev    int64     // row version: grows with every change; the store compares it
	WakeAt time.Time // when the job is due; zero = never
}

// Subject returns whose data key seals the secrets of the consent: the user, or the
// collection if there is no user.
func (c Consent) Subject() string {
	if c.UserID != "" {
		return c.UserID
	}
	return c.CollectionID
}

// Scope returns the granted scope, or the requested one until there is a grant.
func (c Consent) Scope() Scope {
	if c.Granted != nil {
		return *c.Granted
	}
	return c.Requested
}
