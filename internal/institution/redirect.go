package institution

import (
	"context"
	"net/url"

	"samla/internal/consent"
	"samla/internal/psu"
)

// Way is how a person goes to the page of an institution and comes back. It is made and
// stored before the institution is called. All of it is secret.
type Way struct {
	State string // unguessable, for the parameter state; once only
	// Return is the address where the person comes back. It is the same for all persons of
	// the institution, as banks that register addresses want it.
	Return string
	// OnceReturn is Return with an unguessable part, once only, in its path, for an institution
	// that takes any address and need not repeat a state. It must reach the institution only:
	// it is not to be in the address of the page.
	OnceReturn string
	Verifier   string // of PKCE (RFC 7636): 43 to 128 characters
	Nonce      string // of an id_token
}

// Completion asks to finish what a person has done on the page of an institution, or
// in an authorization that ended with a code.
type Completion struct {
	RequestID       string // a repetition has the same
	ConsentID       consent.RemoteID
	AuthorizationID string
	Link            string // StatusLink of the authorization
	Token           string // access token, if there was a step before
	Refresh         string
	PSU             psu.Context
	Way             Way
	// Brought is what the browser brought back, from the query or the fragment, or what
	// an Authorization or a Completed gave for the next step. It is not to be trusted.
	Brought url.Values
	By      consent.Carrier // how the browser brought it; empty: it is not from a browser, or that is not known
}

// Completed is the result of a completion. Whatever it says, its Tokens are stored before
// it is judged.
type Completed struct {
	// State is AuthorizationDone: what was asked for is done; whether the consent is valid
	// is its own status. AuthorizationFailed: with Failure. AuthorizationPending: Next
	// has to be completed too, or, without Next, nothing has happened and the person goes on.
	State   AuthorizationState
	Failure consent.FailureCode
	Tokens  *Tokens          // nil: none
	Remote  consent.RemoteID // the id of the consent, if it is known only now; else empty
	Next    url.Values       // what another completion gets as Brought
	// Signer is the personal number of the person who signed; empty if the institution does
	// not say.
	Signer psu.Number
}

// Completer finishes authorizations that end with something that is exchanged: the code
// of OAuth 2.0, a confirmation code. It makes one exchange that changes something at the
// institution, and may make others that only read. A code works once, and the attempt is
// stored before: a lost answer is repeated once, by the caller. It validates what was
// brought: a wrong state, issuer or signature is AuthorizationFailed with
// AUTHENTICATION_FAILED, and nothing is sent.
type Completer interface {
	Complete(ctx context.Context, c Completion) (Completed, error)
}

// Tokens are what an institution has given for a consent.
type Tokens = consent.Tokens

// Refresher replaces the access token of a consent. Errors: ConsentGone only if the
// institution says that the grant has ended (invalid_grant). Nothing else ends a consent.
// One exchange.
type Refresher interface {
	Refresh(ctx context.Context, a Access) (Tokens, error)
}
