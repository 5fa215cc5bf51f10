package enablebanking

import (
	"net/http"
	"regexp"
	"strings"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
)

// operation is what a request is about: a refusal means different things for them.
type operation int

const (
	opDirectory operation = iota // GET /application, GET /aspsps
	opAuth                       // POST /auth
	opExchange                   // POST /sessions
	opSession                    // GET or DELETE a session
	opRead                       // data of an account
)

// verdict is what a code means.
type verdict struct {
	kind   institution.ErrorKind
	reason institution.Reason
	// form: the form of the request is at fault, and nothing was read for it.
	form bool
}

// verdicts are the documented codes (docs/reference/families.md 11.1). The HTTP status does
// not matter: it is known for some of them only.
var verdicts = map[string]verdict{
	"UNAUTHORIZED_ACCESS":        {institution.CertificateRejected, institution.OurApplicationRejected, false},
	"AUTHORIZATION_NOT_PROVIDED": {institution.CertificateRejected, institution.OurApplicationRejected, false},
	"INVALID_HOST":               {institution.CertificateRejected, institution.OurApplicationRejected, false},
	"UNAUTHORIZED_IP":            {institution.CertificateRejected, institution.OurApplicationRejected, false},
	"NO_ACCOUNTS_ADDED":          {institution.CertificateRejected, institution.OurApplicationRejected, false},
	"REDIRECT_URI_NOT_ALLOWED":   {institution.Refused, institution.ReturnNotRegistered, false},
	"WEBHOOK_URI_NOT_ALLOWED":    {institution.Refused, "", false},
	"WRONG_ASPSP_PROVIDED":       {institution.Refused, institution.NotOfferedAtSource, false},

	"EXPIRED_SESSION":        {institution.ConsentOver, "", false},
	"REVOKED_SESSION":        {institution.ConsentGone, "", false},
	"CLOSED_SESSION":         {institution.ConsentGone, "", false},
	"SESSION_DOES_NOT_EXIST": {institution.ConsentGone, "", false},
	"WRONG_SESSION_STATUS":   {institution.SCARequired, "", false},

	"ACCESS_DENIED":                {institution.NotCovered, "", false},
	"ACCOUNT_DOES_NOT_EXIST":       {institution.NotCovered, "", false},
	"INVALID_ACCOUNT_ID":           {institution.NotCovered, "", false},
	"ASPSP_ACCOUNT_NOT_ACCESSIBLE": {institution.NotCovered, "", false},
	"TRANSACTION_DOES_NOT_EXIST":   {institution.NotCovered, "", false},

	"ASPSP_ERROR":                {institution.Unreachable, "", false},
	"ASPSP_TIMEOUT":              {institution.Unreachable, institution.NoAnswerInTime, false},
	"ASPSP_RATE_LIMIT_EXCEEDED":  {institution.AccessExceeded, "", false},
	"ASPSP_PSU_ACTION_REQUIRED":  {institution.PersonRefused, "", false},
	"WRONG_CREDENTIALS_PROVIDED": {institution.PersonRefused, "", false},

	"WRONG_AUTHORIZATION_CODE":   {institution.SCARequired, "", false},
	"EXPIRED_AUTHORIZATION_CODE": {institution.SCARequired, "", false},
	"ALREADY_AUTHORIZED":         {institution.SCARequired, "", false},

	"WRONG_REQUEST_PARAMETERS":  {institution.Refused, "", true},
	"WRONG_DATE_INTERVAL":       {institution.Refused, "", true},
	wrongPeriod:                 {institution.Refused, "", true},
	"WRONG_CONTINUATION_KEY":    {institution.Refused, "", true},
	"DATE_TO_WITHOUT_DATE_FROM": {institution.Refused, "", true},
	"DATE_FROM_IN_FUTURE":       {institution.Refused, "", true},
	psuHeaderMissing:            {institution.Refused, "", true},
	psuHeaderInvalid:            {institution.Refused, "", true},
}

const (
	psuHeaderMissing = "PSU_HEADER_NOT_PROVIDED"
	psuHeaderInvalid = "PSU_HEADER_INVALID"
	bankError        = "ASPSP_ERROR"
	wrongPeriod      = "WRONG_TRANSACTIONS_PERIOD"
)

// codeOf returns the documented code in the body of a refusal, or "". An error of ours
// repeats no other one: it could contain anything.
func codeOf(body []byte) string {
	var e struct {
		Error loose.Text `json:"error"`
	}
	if loose.Decode(body, &e) != nil {
		return ""
	}
	code := strings.ToUpper(strings.TrimSpace(string(e.Error)))
	if _, documented := verdicts[code]; !documented {
		return ""
	}
	return code
}

// refusal returns the error for an answer that is not a success.
func refusal(c call, resp *httpclient.Response, now time.Time) *institution.Error {
	e := &institution.Error{
		HTTPStatus: resp.Status, Code: codeOf(resp.Body), RequestID: requestID(resp.Header),
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), now),
	}
	v, documented := verdicts[e.Code]
	if !documented {
		if e.Kind, e.Reason = byStatus(resp.Status); resp.Status >= 400 && httperror.IsPage(resp.Body) {
			e.Kind, e.Reason = institution.Unreachable, ""
		}
		return e
	}
	e.Kind, e.Reason, e.NotCounted = v.kind, v.reason, v.form
	switch {
	case e.Code == "ACCESS_DENIED" && c.operation != opRead: // the application lacks a service
		e.Kind, e.Reason = institution.CertificateRejected, institution.OurApplicationRejected
	case e.Kind == institution.AccessExceeded && (c.attended || c.operation != opRead):
		e.Kind = institution.Busy // the daily limit is for reads without the person
	case e.Code == bankError && c.long:
		// Banks refuse a period that is too long for them so.
		e.Kind = institution.Refused
	}
	return e
}

// requestID returns the id that the gateway gave to an exchange, under which it finds it in
// its logs, or "".
func requestID(h http.Header) string {
	id := h.Get("X-Request-Id")
	if !requestIDRE.MatchString(id) {
		return ""
	}
	return id
}

var requestIDRE = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// byStatus returns the kind of a refusal without a documented code. A 401 or 404 of
// something between us and the gateway must not end a consent. If it says with a page that it
// is there, the gateway has said nothing.
func byStatus(status int) (institution.ErrorKind, institution.Reason) {
	switch {
	case status >= 500, status == http.StatusRequestTimeout:
		return institution.Unreachable, ""
	case status == http.StatusTooManyRequests:
		return institution.Busy, ""
	case status >= 300 && status < 400:
		return institution.ForeignAddress, ""
	case status == http.StatusUnauthorized:
		return institution.CertificateRejected, institution.OurApplicationRejected
	case status < 300:
		return institution.MalformedResponse, ""
	}
	return institution.Refused, ""
}

// malformed returns the error for an answer without what it must have. detail names
// members only.
func malformed(detail string) error {
	return &institution.Error{Kind: institution.MalformedResponse, Detail: detail}
}
