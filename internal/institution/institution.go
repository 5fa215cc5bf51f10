// Package institution is the port to banks: small verbs, each an interface of its own,
// that a connector implements as far as its bank can. How a bank says things
// stays inside its connector; what it can do is data, its Profile.
//
// A connector does no more than one exchange with the bank per call, keeps no
// state between calls and never repeats a request: retries belong to its callers,
// and Error.NotSent tells them that the bank cannot have received it. Every
// error it returns is an *Error.
package institution

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/psu"
)

// Access is what a bank needs to know a consent again.
type Access struct {
	ConsentID consent.RemoteID // the bank's
	Token     string           // bearer token, where the bank gives one
	PSU       psu.Context
}

// OpenRequest asks for a consent.
type OpenRequest struct {
	RequestID   string // X-Request-ID; the same on a repeat
	Scope       consent.Scope
	ValidUntil  time.Time // the last day asked for
	Recurring   bool      // false: for one collection
	PSU         psu.Context
	OtherDevice bool // the BankID app runs on another device: a QR code is wanted
}

// Opened is the bank's answer. ConsentID is to be kept secret.
type Opened struct {
	ConsentID consent.RemoteID
}

// Opener makes consents. OpenConsent with a RequestID that the bank has seen
// gives the same consent again where Profile.ReplaySafe says so.
type Opener interface {
	OpenConsent(ctx context.Context, r OpenRequest) (Opened, error)
}

// AuthorizeRequest starts the authorisation of a consent.
type AuthorizeRequest struct {
	RequestID   string           // X-Request-ID; the same on a repeat
	ConsentID   consent.RemoteID // the bank's
	PSU         psu.Context
	OtherDevice bool
}

// Authorization is how far the person has come.
type Authorization struct {
	ID           string // the bank's; empty in answers to a status question
	StatusLink   string // where to ask, as the bank gave it
	State        AuthorizationState
	Failure      consent.FailureCode // with AuthorizationFailed
	Instructions *consent.Instructions
}

// AuthorizationState is what an authorisation's status comes down to.
type AuthorizationState int

// The states of an authorisation.
const (
	AuthorizationPending AuthorizationState = iota
	AuthorizationDone                       // the person has signed; the consent's own status decides
	AuthorizationFailed
)

// Authorizer lets the person authorise a consent (decoupled SCA).
type Authorizer interface {
	StartAuthorization(ctx context.Context, r AuthorizeRequest) (Authorization, error)
	AuthorizationStatus(ctx context.Context, a Access, authorisationID, link string, otherDevice bool) (Authorization, error)
}

// ConsentState is what a bank's consent status comes down to (docs/reference/banks.md 4).
type ConsentState int

// The states of a consent at its bank.
const (
	ConsentPending ConsentState = iota
	ConsentValid
	ConsentRejected
	ConsentRevoked
	ConsentExpired
)

// ConsentInfo is a consent as the bank has it.
type ConsentInfo struct {
	State      ConsentState
	Scope      consent.Scope // what was granted; meaningful when valid
	ValidUntil time.Time     // the moment its last day ends
}

// ConsentReader reads a consent back.
type ConsentReader interface {
	Consent(ctx context.Context, a Access) (ConsentInfo, error)
}

// Revoker ends a consent at the bank. A consent that is over already, or that
// the bank does not know, is no error.
type Revoker interface {
	Revoke(ctx context.Context, a Access) error
}
