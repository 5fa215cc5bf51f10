package collect

import (
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/institution"
)

// statusOfError returns the status of a collection that failed at the institution
// (docs/reference/api.md 5.7).
func statusOfError(kind institution.ErrorKind) collection.Status {
	switch kind {
	case institution.Unreachable, institution.Busy, institution.Preparing, institution.AccessExceeded, institution.MalformedResponse, institution.ForeignAddress,
		institution.SessionGone:
		return collection.ThirdPartyError
	case institution.ConsentGone, institution.ConsentOver, institution.SCARequired, institution.TokenRefused:
		return collection.AuthenticationError
	case institution.PersonRefused:
		return collection.CustomerEnrollmentRequired
	default:
		return collection.Failed
	}
}

// statusOfLoginError returns the status of a collection whose login the institution
// refuses to begin, or to go on with.
func statusOfLoginError(kind institution.ErrorKind) collection.Status {
	if kind == institution.Conflict {
		return collection.AuthenticationConflict
	}
	return statusOfError(kind)
}

// statusOfEnded returns the status of a collection whose consent ended before the
// collection could read. For a stored consent, which was authorized once, that is an
// authentication error.
func statusOfEnded(c collection.Collection, under consent.Consent) collection.Status {
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

// statusOfFailure returns the status of a one-time collection whose consent failed
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
