package collect

import (
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// statusAfter maps a failure at the institution to what the client is told
// (docs/reference/api.md 5.7).
func statusAfter(kind institution.ErrorKind) collection.Status {
	switch kind {
	case institution.Unreachable, institution.Busy, institution.AccessExceeded, institution.MalformedResponse, institution.ForeignAddress:
		return collection.ThirdPartyError
	case institution.ConsentGone, institution.ConsentOver, institution.SCARequired:
		return collection.AuthenticationError
	case institution.PersonRefused:
		return collection.CustomerEnrollmentRequired
	default:
		return collection.Failed
	}
}

// statusUnder is the status of a collection whose consent has ended before it was
// read. A stored consent had been authorized: signing in with it failed.
func statusUnder(c collection.Collection, under consent.Consent) collection.Status {
	if c.Mode == collection.Stored {
		return collection.AuthenticationError
	}
	switch under.Status {
	case consent.Revoked:
		return collection.AuthenticationCancelled
	case consent.Expired:
		return collection.AuthenticationTimeout
	}
	return statusOfFailure(under.Failure)
}

// statusOfFailure maps the failure of the consent inside a one-time collection
// (docs/reference/api.md 5.7).
func statusOfFailure(code consent.FailureCode) collection.Status {
	switch code {
	case consent.AuthenticationTimeout:
		return collection.AuthenticationTimeout
	case consent.AuthenticationCancelled, consent.Rejected:
		return collection.AuthenticationCancelled
	case consent.AuthenticationConflict:
		return collection.AuthenticationConflict
	case consent.AuthenticationMismatch:
		return collection.AuthenticationMismatch
	case consent.AuthenticationFailed:
		return collection.AuthenticationError
	case consent.BankUnavailable, consent.BankError:
		return collection.ThirdPartyError
	default:
		return collection.Failed
	}
}
