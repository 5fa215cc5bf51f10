package xs2a

import (
	"net/http"

	"samla/internal/bank"
)

// meaning is what a code comes down to, by what the call was about.
type meaning [subjects]bank.ErrorKind

func always(k bank.ErrorKind) meaning {
	var m meaning
	for i := range m {
		m[i] = k
	}
	return m
}

// by makes a meaning that differs between making (opening and authorising), a
// consent that exists, and reading.
func by(making, existing, reading bank.ErrorKind) meaning {
	return meaning{making, making, existing, reading, reading, reading}
}

// notValid: a consent that is not valid, or does not cover what was asked for.
// Only the account list, which every consent covers, tells the two apart; for
// the rest the milder one is taken, so that an account that is not covered does
// not end a consent.
var notValid = meaning{
	bank.Refused, bank.ConsentGone, bank.ConsentGone, bank.ConsentGone, bank.NotCovered, bank.NotCovered,
}

// unknownResource: the resource of a consent's own calls is the consent.
var unknownResource = meaning{
	bank.Refused, bank.ConsentGone, bank.ConsentGone, bank.NotCovered, bank.NotCovered, bank.NotCovered,
}

// meanings has every code that the standard documents for account information
// (banks.md 7), whatever HTTP status it comes with: banks mix those up.
var meanings = map[string]meaning{
	"FORMAT_ERROR":              always(bank.Refused),
	"PARAMETER_NOT_CONSISTENT":  always(bank.Refused),
	"PARAMETER_NOT_SUPPORTED":   always(bank.Refused),
	"TIMESTAMP_INVALID":         always(bank.Refused),
	"PERIOD_INVALID":            always(bank.Refused),
	"SCA_METHOD_UNKNOWN":        always(bank.Refused),
	"SCA_INVALID":               always(bank.Refused),
	"SESSIONS_NOT_SUPPORTED":    always(bank.Refused),
	"REQUESTED_FORMATS_INVALID": always(bank.Refused),

	"SERVICE_INVALID":  by(bank.Refused, bank.Refused, bank.NotCovered),
	"SERVICE_BLOCKED":  always(bank.PersonRefused),
	"RESOURCE_UNKNOWN": unknownResource,
	"RESOURCE_EXPIRED": {bank.Refused, bank.ConsentOver, bank.ConsentOver, bank.NotCovered, bank.NotCovered, bank.NotCovered},
	"RESOURCE_BLOCKED": by(bank.Refused, bank.Refused, bank.NotCovered),
	// Another authorisation of the person is in the way, or this one has ended.
	"STATUS_INVALID": by(bank.Conflict, bank.Refused, bank.Refused),

	"CONSENT_UNKNOWN": {bank.Refused, bank.ConsentGone, bank.ConsentGone, bank.ConsentGone, bank.ConsentGone, bank.ConsentGone},
	"CONSENT_INVALID": notValid,
	"CONSENT_EXPIRED": {bank.Refused, bank.ConsentOver, bank.ConsentOver, bank.ConsentOver, bank.ConsentOver, bank.ConsentOver},

	"CERTIFICATE_INVALID": always(bank.CertificateBad),
	"CERTIFICATE_EXPIRED": always(bank.CertificateBad),
	"CERTIFICATE_BLOCKED": always(bank.CertificateBad),
	"CERTIFICATE_REVOKE":  always(bank.CertificateBad),
	"CERTIFICATE_REVOKED": always(bank.CertificateBad), // as many banks spell it
	"CERTIFICATE_MISSING": always(bank.CertificateBad),
	"ROLE_INVALID":        always(bank.CertificateBad),
	"SIGNATURE_INVALID":   always(bank.CertificateBad),
	"SIGNATURE_MISSING":   always(bank.CertificateBad),

	"CORPORATE_ID_INVALID":    always(bank.PersonRefused),
	"PSU_CREDENTIALS_INVALID": by(bank.PersonRefused, bank.PersonRefused, bank.SCARequired),
	"TOKEN_UNKNOWN":           by(bank.Refused, bank.SCARequired, bank.SCARequired),
	"TOKEN_INVALID":           by(bank.Refused, bank.SCARequired, bank.SCARequired),
	"TOKEN_EXPIRED":           by(bank.Refused, bank.SCARequired, bank.SCARequired),

	"ACCESS_EXCEEDED": always(bank.AccessExceeded),
}

// uncoded is what a status without a documented code comes down to.
var uncoded = map[int]meaning{
	// Swedbank answers so when history needs the person to sign (banks.md 11.2).
	http.StatusUnauthorized:     by(bank.Refused, bank.Refused, bank.SCARequired),
	http.StatusForbidden:        by(bank.Refused, bank.Refused, bank.NotCovered),
	http.StatusNotFound:         unknownResource,
	http.StatusMethodNotAllowed: by(bank.Refused, bank.Refused, bank.NotCovered),
	http.StatusRequestTimeout:   always(bank.Unreachable),
	http.StatusConflict:         by(bank.Conflict, bank.Refused, bank.Refused),
	http.StatusTooManyRequests:  always(bank.Busy),
}

// kindOf maps an answer that is no success. The bank being down or busy comes
// before what its body says: a gateway may have written that.
func kindOf(about subject, status int, code string) bank.ErrorKind {
	switch {
	case status >= http.StatusInternalServerError:
		return bank.Unreachable
	case status >= 300 && status < 400:
		return bank.ForeignAddress
	case status < 300:
		return bank.Garbled
	case status == http.StatusTooManyRequests && code != "ACCESS_EXCEEDED":
		return bank.Busy
	}
	if m, ok := meanings[code]; ok {
		return m[about]
	}
	if m, ok := uncoded[status]; ok {
		return m[about]
	}
	return bank.Refused
}

// noCards tells an answer to the list of card accounts that means that the bank
// has no such service.
func noCards(e *bank.Error) bool {
	switch e.HTTPStatus {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return e.Code == "" || e.Code == "SERVICE_INVALID" || e.Code == "RESOURCE_UNKNOWN"
	case http.StatusBadRequest, http.StatusForbidden:
		return e.Code == "SERVICE_INVALID" || (e.Code == "" && e.HTTPStatus == http.StatusForbidden)
	}
	return false
}
