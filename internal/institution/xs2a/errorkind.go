package xs2a

import (
	"net/http"

	"samla/internal/institution"
)

// kinds is the error kind of a code or of an HTTP status, by operation.
type kinds [operations]institution.ErrorKind

func everyOperation(k institution.ErrorKind) kinds {
	var all kinds
	for i := range all {
		all[i] = k
	}
	return all
}

// byStage returns kinds that differ between the setup of a consent (creation and
// authorisation), calls for the consent itself, and reads under it.
func byStage(setup, consent, read institution.ErrorKind) kinds {
	return kinds{setup, setup, consent, read, read, read, read}
}

// consentInvalid is for a code with two meanings: the consent is not valid, or it
// does not cover the request. Every consent covers the account list, so there it
// is the former. Elsewhere the latter is assumed, so that a request for an account
// that is not covered does not end the consent.
//
// The cards of some banks are in another system, which may not know the consent although
// it is valid. What it says about the consent costs the cards only: the account list says
// whether the consent is valid.
var consentInvalid = kinds{
	institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone, institution.NotCovered, institution.NotCovered, institution.NotCovered,
}

// resourceUnknown is for a resource that the bank does not know. In calls for a
// consent itself, that resource is the consent.
var resourceUnknown = kinds{
	institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.NotCovered, institution.NotCovered, institution.NotCovered, institution.NotCovered,
}

// kindsByCode has every code that the standard documents for account information
// (docs/reference/banks.md 7). The HTTP status does not matter: banks send the codes
// with other statuses than documented.
var kindsByCode = map[string]kinds{
	"FORMAT_ERROR":              everyOperation(institution.Refused),
	"PARAMETER_NOT_CONSISTENT":  everyOperation(institution.Refused),
	"PARAMETER_NOT_SUPPORTED":   everyOperation(institution.Refused),
	"TIMESTAMP_INVALID":         everyOperation(institution.Refused),
	"PERIOD_INVALID":            everyOperation(institution.Refused),
	"SCA_METHOD_UNKNOWN":        everyOperation(institution.Refused),
	"SCA_INVALID":               everyOperation(institution.Refused),
	"SESSIONS_NOT_SUPPORTED":    everyOperation(institution.Refused),
	"REQUESTED_FORMATS_INVALID": everyOperation(institution.Refused),

	"SERVICE_INVALID":  byStage(institution.Refused, institution.Refused, institution.NotCovered),
	"SERVICE_BLOCKED":  everyOperation(institution.PersonRefused),
	"RESOURCE_UNKNOWN": resourceUnknown,
	"RESOURCE_EXPIRED": {institution.Refused, institution.ConsentOver, institution.ConsentOver, institution.NotCovered, institution.NotCovered, institution.NotCovered, institution.NotCovered},
	"RESOURCE_BLOCKED": byStage(institution.Refused, institution.Refused, institution.NotCovered),
	// Another authorisation of the person is in progress, or this one has ended.
	"STATUS_INVALID": byStage(institution.Conflict, institution.Refused, institution.Refused),

	"CONSENT_UNKNOWN": {institution.Refused, institution.ConsentGone, institution.ConsentGone, institution.ConsentGone, institution.NotCovered, institution.ConsentGone, institution.NotCovered},
	"CONSENT_INVALID": consentInvalid,
	"CONSENT_EXPIRED": {institution.Refused, institution.ConsentOver, institution.ConsentOver, institution.ConsentOver, institution.NotCovered, institution.ConsentOver, institution.NotCovered},

	"CERTIFICATE_INVALID": everyOperation(institution.CertificateRejected),
	"CERTIFICATE_EXPIRED": everyOperation(institution.CertificateRejected),
	"CERTIFICATE_BLOCKED": everyOperation(institution.CertificateRejected),
	"CERTIFICATE_REVOKE":  everyOperation(institution.CertificateRejected),
	"CERTIFICATE_REVOKED": everyOperation(institution.CertificateRejected), // the spelling of many banks
	"CERTIFICATE_MISSING": everyOperation(institution.CertificateRejected),
	"ROLE_INVALID":        everyOperation(institution.CertificateRejected),
	"SIGNATURE_INVALID":   everyOperation(institution.CertificateRejected),
	"SIGNATURE_MISSING":   everyOperation(institution.CertificateRejected),

	"CORPORATE_ID_INVALID":    everyOperation(institution.PersonRefused),
	"PSU_CREDENTIALS_INVALID": byStage(institution.PersonRefused, institution.PersonRefused, institution.SCARequired),
	"TOKEN_UNKNOWN":           byStage(institution.Refused, institution.SCARequired, institution.SCARequired),
	"TOKEN_INVALID":           byStage(institution.Refused, institution.SCARequired, institution.SCARequired),
	"TOKEN_EXPIRED":           byStage(institution.Refused, institution.SCARequired, institution.SCARequired),

	"ACCESS_EXCEEDED": everyOperation(institution.AccessExceeded),
}

// kindsByStatus is used for a response without a documented code.
var kindsByStatus = map[int]kinds{
	// Swedbank sends it if the person has to sign to read older transactions
	// (docs/reference/banks.md 11.2).
	http.StatusUnauthorized:     byStage(institution.Refused, institution.Refused, institution.SCARequired),
	http.StatusForbidden:        byStage(institution.Refused, institution.Refused, institution.NotCovered),
	http.StatusNotFound:         resourceUnknown,
	http.StatusMethodNotAllowed: byStage(institution.Refused, institution.Refused, institution.NotCovered),
	http.StatusRequestTimeout:   everyOperation(institution.Unreachable),
	http.StatusConflict:         byStage(institution.Conflict, institution.Refused, institution.Refused),
	http.StatusTooManyRequests:  everyOperation(institution.Busy),
}

// kindOf returns the error kind of a response that is not a success. A status that
// says that the bank is down or busy takes precedence over the code in the body,
// which a gateway may have written.
//
// That there is no consent is the bank's word only in one of its error forms: a 404 of
// something before the bank, or of a base URL that is wrong, does not end a consent.
func kindOf(op operation, status int, f failure) institution.ErrorKind {
	code := f.code
	switch {
	case status == http.StatusNotImplemented && op >= opAccountList:
		return institution.Refused // the same question is answered so again
	case status >= http.StatusInternalServerError:
		return institution.Unreachable
	case status >= 300 && status < 400:
		return institution.ForeignAddress
	case status < 300:
		return institution.MalformedResponse
	case status == http.StatusTooManyRequests && code != "ACCESS_EXCEEDED":
		return institution.Busy
	}
	if byOperation, ok := kindsByCode[code]; ok {
		return byOperation[op]
	}
	if byOperation, ok := kindsByStatus[status]; ok {
		if kind := byOperation[op]; kind != institution.ConsentGone || f.own {
			return kind
		}
	}
	return institution.Refused
}

// meansNoCards reports whether an error response to the list of card accounts means
// that the bank does not have this service.
func meansNoCards(e *institution.Error) bool {
	if e.Kind == institution.Unreachable {
		return false
	}
	switch e.HTTPStatus {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return e.Code == "" || e.Code == "SERVICE_INVALID" || e.Code == "RESOURCE_UNKNOWN"
	case http.StatusBadRequest, http.StatusForbidden: // without the code a denial, which says nothing of the cards
		return e.Code == "SERVICE_INVALID"
	}
	return false
}
