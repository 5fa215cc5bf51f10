package xs2a

import (
	"net/http"

	"samla/internal/institution"
)

// meaning is what a code comes down to, by what the call was about.
type meaning [subjects]institution.ErrorKind

func always(k institution.ErrorKind) meaning {
	var m meaning
	for i := range m {
		m[i] = k
	}
	return m
}

// by makes a meaning that differs between making (opening and authorising), a
// consent that exists, and reading.
func by(making, existing, reading institution.ErrorKind) meaning {
	return meaning{making, making, existing, reading, reading, reading}
}

// notValid: a consent that is not valid, or does not cover what was asked for.
// Only the account list, which every consent covers, tells the two apart; for
// the rest the milder one is taken, so that an account that is not covered does
// not end a consent.
var notValid = meaning{
	institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone, institution.NotCovered, institution.NotCovered,
}

// unknownResource: the resource of a consent's own calls is the consent.
var unknownResource = meaning{
	institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.NotCovered, institution.NotCovered, institution.NotCovered,
}

// meanings has every code that the standard documents for account information
// (docs/reference/banks.md 7), whatever HTTP status it comes with: banks mix those up.
var meanings = map[string]meaning{
	"FORMAT_ERROR":              always(institution.Refused),
	"PARAMETER_NOT_CONSISTENT":  always(institution.Refused),
	"PARAMETER_NOT_SUPPORTED":   always(institution.Refused),
	"TIMESTAMP_INVALID":         always(institution.Refused),
	"PERIOD_INVALID":            always(institution.Refused),
	"SCA_METHOD_UNKNOWN":        always(institution.Refused),
	"SCA_INVALID":               always(institution.Refused),
	"SESSIONS_NOT_SUPPORTED":    always(institution.Refused),
	"REQUESTED_FORMATS_INVALID": always(institution.Refused),

	"SERVICE_INVALID":  by(institution.Refused, institution.Refused, institution.NotCovered),
	"SERVICE_BLOCKED":  always(institution.PersonRefused),
	"RESOURCE_UNKNOWN": unknownResource,
	"RESOURCE_EXPIRED": {institution.Refused, institution.ConsentOver, institution.ConsentOver, institution.NotCovered, institution.NotCovered, institution.NotCovered},
	"RESOURCE_BLOCKED": by(institution.Refused, institution.Refused, institution.NotCovered),
	// Another authorisation of the person is in the way, or this one has ended.
	"STATUS_INVALID": by(institution.Conflict, institution.Refused, institution.Refused),

	"CONSENT_UNKNOWN": {institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone},
	"CONSENT_INVALID": notValid,
	"CONSENT_EXPIRED": {institution.Refused, institution.ConsentOver, institution.ConsentOver, institution.ConsentOver, institution.ConsentOver, institution.ConsentOver},

	"CERTIFICATE_INVALID": always(institution.CertificateRejected),
	"CERTIFICATE_EXPIRED": always(institution.CertificateRejected),
	"CERTIFICATE_BLOCKED": always(institution.CertificateRejected),
	"CERTIFICATE_REVOKE":  always(institution.CertificateRejected),
	"CERTIFICATE_REVOKED": always(institution.CertificateRejected), // as many banks spell it
	"CERTIFICATE_MISSING": always(institution.CertificateRejected),
	"ROLE_INVALID":        always(institution.CertificateRejected),
	"SIGNATURE_INVALID":   always(institution.CertificateRejected),
	"SIGNATURE_MISSING":   always(institution.CertificateRejected),

	"CORPORATE_ID_INVALID":    always(institution.PersonRefused),
	"PSU_CREDENTIALS_INVALID": by(institution.PersonRefused, institution.PersonRefused, institution.SCARequired),
	"TOKEN_UNKNOWN":           by(institution.Refused, institution.SCARequired, institution.SCARequired),
	"TOKEN_INVALID":           by(institution.Refused, institution.SCARequired, institution.SCARequired),
	"TOKEN_EXPIRED":           by(institution.Refused, institution.SCARequired, institution.SCARequired),

	"ACCESS_EXCEEDED": always(institution.AccessExceeded),
}

// uncoded is what a status without a documented code comes down to.
var uncoded = map[int]meaning{
	// Swedbank answers so when history needs the person to sign (docs/reference/banks.md 11.2).
	http.StatusUnauthorized:     by(institution.Refused, institution.Refused, institution.SCARequired),
	http.StatusForbidden:        by(institution.Refused, institution.Refused, institution.NotCovered),
	http.StatusNotFound:         unknownResource,
	http.StatusMethodNotAllowed: by(institution.Refused, institution.Refused, institution.NotCovered),
	http.StatusRequestTimeout:   always(institution.Unreachable),
	http.StatusConflict:         by(institution.Conflict, institution.Refused, institution.Refused),
	http.StatusTooManyRequests:  always(institution.Busy),
}

// kindOf maps an answer that is no success. The bank being down or busy comes
// before what its body says: a gateway may have written that.
func kindOf(about subject, status int, code string) institution.ErrorKind {
	switch {
	case status >= http.StatusInternalServerError:
		return institution.Unreachable
	case status >= 300 && status < 400:
		return institution.ForeignAddress
	case status < 300:
		return institution.MalformedResponse
	case status == http.StatusTooManyRequests && code != "ACCESS_EXCEEDED":
		return institution.Busy
	}
	if m, ok := meanings[code]; ok {
		return m[about]
	}
	if m, ok := uncoded[status]; ok {
		return m[about]
	}
	return institution.Refused
}

// noCards tells an answer to the list of card accounts that means that the bank
// has no such service.
func noCards(e *institution.Error) bool {
	switch e.HTTPStatus {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return e.Code == "" || e.Code == "SERVICE_INVALID" || e.Code == "RESOURCE_UNKNOWN"
	case http.StatusBadRequest, http.StatusForbidden:
		return e.Code == "SERVICE_INVALID" || (e.Code == "" && e.HTTPStatus == http.StatusForbidden)
	}
	return false
}
