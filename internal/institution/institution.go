// Package institution is the port to banks. Each verb is a small interface, and a
// connector implements the verbs that its bank supports. The wire protocol of a
// bank stays inside its connector; how banks differ is data, the Profile.
//
// A connector makes one exchange with the bank per call (a second one where its method
// says so), keeps no state between calls and never retries: its callers do, and
// Error.NotSent tells them that the bank cannot have received the request. Every error
// that a connector returns is an *Error.
package institution

import (
	"context"
	"net/url"
	"time"

	"samla/internal/consent"
	"samla/internal/psu"
)

// Access identifies a consent in calls to its bank, or a login at an institution.
type Access struct {
	ConsentID consent.RemoteID
	Token     string // bearer token; empty if the bank issues none
	Refresh   string // refresh token; empty if the bank issues none
	Session   string // of a login (Loginer); empty with a consent
	PSU       psu.Context
}

// OpenRequest is the request for a new consent.
type OpenRequest struct {
	RequestID   string // X-Request-ID; a retry sends the same
	Scope       consent.Scope
	ValidUntil  time.Time // the last day requested
	Recurring   bool      // false: for a single collection
	PSU         psu.Context
	OtherDevice bool   // the BankID app runs on another device, so the person scans a QR code
	Token       string // of the login before (Profile.LoginFirst); else empty
	Way         Way    // empty unless Profile.Redirects
}

// Opened is a consent that the bank has created. ConsentID is secret. A family without
// consents of its own, whose tokens are the consent, returns the request id.
type Opened struct {
	ConsentID consent.RemoteID
	// Started is the authorization that the bank has started by itself, or that it
	// does not need (AuthorizationDone: the consent is valid already). Nil:
	// StartAuthorization starts it.
	Started *Authorization
}

// Opener creates consents. If Profile.ReplaySafe is set, a second OpenConsent
// with the same request returns the same consent. An error with an id in Opened says that the
// bank has created the consent, and that what has to follow at once has failed: the consent
// must be kept in mind, to be revoked.
type Opener interface {
	OpenConsent(ctx context.Context, r OpenRequest) (Opened, error)
}

// AccountLister lists the accounts that a consent can name, before it is opened
// (Profile.ListsAccounts). Nothing is opened that has to be revoked, so every error is one
// that can be asked again (Error.NotSent). PersonRefused: the person has no accounts.
type AccountLister interface {
	ListAccounts(ctx context.Context, r OpenRequest) ([]consent.Account, error)
}

// AuthorizeRequest starts the authorization of a consent.
type AuthorizeRequest struct {
	RequestID   string // X-Request-ID; a retry sends the same
	ConsentID   consent.RemoteID
	PSU         psu.Context
	OtherDevice bool
	Token       string // of the login before (Profile.LoginFirst); else empty
	Way         Way    // empty unless Profile.Redirects
	// Login: the login before the consent is started (Profile.LoginFirst); ConsentID is
	// empty, and Scope and ValidUntil say what will be asked for.
	Login      bool
	Scope      consent.Scope
	ValidUntil time.Time
	Recurring  bool
}

// Authorization is the state of an authorization at its bank. If both ID and StatusLink
// are empty when it starts, the bank tells nothing about it: the state of the consent
// says when the person has signed.
type Authorization struct {
	ID           string // the bank's id; empty in the result of AuthorizationStatus
	StatusLink   string // what the connector reads the status with, and completes it with: links of the bank; may be empty
	State        AuthorizationState
	Failure      consent.FailureCode   // set with AuthorizationFailed
	Progress     consent.Progress      // of the person, as far as this answer says it
	Instructions *consent.Instructions // nil: the bank gave none
	// Silent: the bank tells nothing of the authorization until the person comes back, not
	// even by the state of the consent. So it is not asked.
	Silent bool
	// Brought is set with AuthorizationDone if the authorization ended with something that
	// Completer has to exchange.
	Brought url.Values
}

// AuthorizationState classifies the status of an authorization.
type AuthorizationState int

// The states of an authorization.
const (
	AuthorizationPending AuthorizationState = iota
	AuthorizationDone                       // the person has signed; whether the consent is valid is its own status
	AuthorizationFailed
)

// Authorizer lets the person authorize a consent, and log in before it.
// AuthorizationStatus is called only for an authorization with an id or a link.
type Authorizer interface {
	StartAuthorization(ctx context.Context, r AuthorizeRequest) (Authorization, error)
	AuthorizationStatus(ctx context.Context, a Access, authorizationID, link string, otherDevice bool) (Authorization, error)
}

// ConsentState classifies the status of a consent at its bank
// (docs/reference/banks.md 4).
type ConsentState int

// The states of a consent at its bank.
const (
	ConsentPending ConsentState = iota
	ConsentValid
	ConsentRejected
	ConsentRevoked
	ConsentExpired
	// ConsentPartlySigned: another person has to sign too, which may take days.
	ConsentPartlySigned
)

// ConsentInfo is the state of a consent at its bank.
type ConsentInfo struct {
	State      ConsentState
	Scope      *consent.Scope // what was granted; nil if the bank does not say
	ValidUntil time.Time      // the end of its last day; zero if the bank does not say
	// ReadsPerDay is how often the consent can be read in a day without the person; 0 if
	// the bank does not say.
	ReadsPerDay int
	OneOff      bool // the bank says that the consent is for one collection
}

// ConsentReader reads the state of a consent.
type ConsentReader interface {
	Consent(ctx context.Context, a Access) (ConsentInfo, error)
}

// Revoker revokes a consent at the bank. A consent that has ended already, or that
// the bank does not know, is not an error. Access has no ConsentID if only tokens were
// given, in a login before the consent.
type Revoker interface {
	Revoke(ctx context.Context, a Access) error
}
