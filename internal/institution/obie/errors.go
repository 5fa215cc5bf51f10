package obie

import (
	"net/http"
	"regexp"
	"strings"

	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
)

// failure is what an error body says (docs/reference/families.md 4.6, 4.8).
type failure struct {
	code    code // of the first error that has a documented one
	shown   string
	unknown bool   // a code of the bank's own says that there is no such consent, and none of the standard says something else
	paths   string // of all errors, in lower case; never shown
}

// code is the meaning of an error code, as 3.1.11 names it without its prefix.
type code string

// The codes that mean more than the status.
const (
	reauthenticate       code = "Reauthenticate"
	notFound             code = "Resource.NotFound"
	invalidConsentStatus code = "Resource.InvalidConsentStatus"
)

const codePrefix = "UK.OBIE."

// codes40 are the codes of 4.0 by those of 3.1.11 (docs/reference/families.md 4.8).
var codes40 = map[string]code{
	"U000": "UnexpectedError", "U001": "Field.Expected", "U002": "Field.Invalid", "U003": "Field.InvalidDate", "U004": "Field.Missing",
	"U005": "Field.Unexpected", "U006": "Header.Invalid", "U007": "Header.Missing", "U008": "Resource.ConsentMismatch", "U009": invalidConsentStatus,
	"U010": "Resource.InvalidFormat", "U011": notFound, "U028": reauthenticate,
}

// codes31 are those of 3.1.11. Other codes with their prefix are the bank's own.
var codes31 = func() map[string]code {
	all := map[string]code{}
	for _, c := range codes40 {
		all[strings.ToLower(codePrefix+string(c))] = c
	}
	return all
}()

// longestErrorBody is more than an error has. A longer body is not searched for one.
const longestErrorBody = 64 << 10

func failureIn(body []byte) (f failure) {
	var said struct {
		Errors loose.List[struct {
			Code loose.Text `json:"ErrorCode"`
			Path loose.Text `json:"Path"`
		}] `json:"Errors"`
	}
	if len(body) > longestErrorBody || loose.Decode(body, &said) != nil {
		return failure{}
	}
	standard := false
	for _, e := range said.Errors {
		text := strings.TrimSpace(string(e.Code))
		c, documented := codes31[strings.ToLower(text)]
		if !documented {
			c, documented = codes40[strings.ToUpper(text)]
		}
		standard = standard || documented || isStandard(text)
		f.unknown = f.unknown || saysUnknown(text)
		if documented && f.code == "" {
			f.code, f.shown = c, text
		}
		f.paths += strings.ToLower(string(e.Path)) + " "
	}
	f.unknown = f.unknown && !standard
	return f
}

// code40 are the codes of 4.0 (docs/reference/families.md 4.8).
var code40 = regexp.MustCompile(`^[Uu][0-9]{3}$`)

// isStandard reports whether a code has the form of one of the standard, whose list is open.
func isStandard(code string) bool {
	return code40.MatchString(code) || len(code) > len(codePrefix) && strings.EqualFold(code[:len(codePrefix)], codePrefix)
}

// unknownRE matches a code, without what is no letter, that says that something is not there.
var unknownRE = regexp.MustCompile(`(notfound|notexist|unknown)$|^(no|nosuch|unknown|invalid)(consent|intent|resource)(id)?$`)

// saysUnknown reports whether a code of the bank's own says that there is no such consent. The
// member that an error is about says nothing of what is wrong with it.
func saysUnknown(code string) bool {
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	return unknownRE.MatchString(letters)
}

// refusal returns the error for an answer that is not a success. What a status says of a
// gateway precedes the code.
func (b *Bank) refusal(c call, resp response) *institution.Error {
	f := failureIn(resp.Body)
	e := &institution.Error{HTTPStatus: resp.Status, RequestID: resp.requestID, Code: f.shown,
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), b.clock.Now())}
	switch status := resp.Status; {
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		e.Kind = institution.Unreachable
	case status >= 300 && status < 400:
		e.Kind = institution.ForeignAddress
	case status == http.StatusTooManyRequests:
		e.Kind = tooMany(c, e)
	case httperror.IsPage(resp.Body):
		e.Kind = institution.Unreachable // of a gateway, during maintenance for example
	case c.operation == opRead:
		e.Kind = readKind(status, f)
		e.NotCounted = e.Kind == institution.Refused
		e.Parameter = parameterIn(f)
	case status == http.StatusUnauthorized:
		e.Kind, e.Reason = institution.CertificateRejected, institution.OurCredentialsRejected
	case c.operation == opConsent && isUnknown(status, f):
		e.Kind = institution.ConsentGone
	default:
		e.Kind = institution.Refused
	}
	return e
}

// countedWait is the shortest Retry-After that is about the reads of a day: those about
// the requests of a moment are shorter.
const countedWait = 10 * 60 // seconds

// tooMany tells apart what a bank refuses because all requests are too many in a moment,
// and because the person was not there too often in a day: it answers both with 429. In the
// person's presence it counts nothing (RTS art. 36(5)).
func tooMany(c call, e *institution.Error) institution.ErrorKind {
	if c.operation == opRead && !c.psu.Attended() && e.RetryAfter.Seconds() >= countedWait {
		return institution.AccessExceeded
	}
	return institution.Busy
}

// readKind is the kind of a refusal of data.
func readKind(status int, f failure) institution.ErrorKind {
	switch {
	case status == http.StatusUnauthorized:
		return institution.TokenRefused
	case f.code == reauthenticate:
		return institution.SCARequired
	case f.code == invalidConsentStatus:
		return institution.ConsentGone
	case status == http.StatusForbidden, f.code == notFound:
		return institution.NotCovered
	}
	return institution.Refused
}

// isUnknown reports whether an answer about a consent says that there is none of its id:
// 400 with an error that is about the resource, and not about the form of the request
// (docs/reference/families.md 4.2 step 8, 4.6). The standard has two codes for that: there is
// none, or none that is in use. ConsentMismatch is about two resources that do not fit, as if
// our client had become another one, and InvalidFormat about the form: neither says that a
// permission has ended. Any other code, also of the bank's own, says something else unless it
// names what is missing: what a bank refuses for another reason must not end a consent.
func isUnknown(status int, f failure) bool {
	switch f.code {
	case notFound, invalidConsentStatus:
		return status >= 400 && status < 500
	case "":
		return status == http.StatusBadRequest && f.unknown
	}
	return false
}

// The query members of transactions.
const (
	fromParameter = "fromBookingDateTime"
	toParameter   = "toBookingDateTime"
)

func parameterIn(f failure) string {
	for _, name := range []string{fromParameter, toParameter} {
		if strings.Contains(f.paths, strings.ToLower(name)) {
			return name
		}
	}
	return ""
}

func malformed(detail string) error {
	return &institution.Error{Kind: institution.MalformedResponse, Detail: detail}
}
