package source

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/strictjson"
)

// The codes of refusals by which the connector decides.
const (
	codeUnknownInstitution = "UNKNOWN_INSTITUTION"
	codeUnknownSession     = "UNKNOWN_SESSION"
	codeQuestionOver       = "QUESTION_OVER"
	codeTurnNeeded         = "TURN_NEEDED"
)

// statuses are the codes of refusals and their HTTP statuses (docs/source-protocol/README.md,
// Rules). An error of ours repeats no other code: it could contain anything.
var statuses = map[string]int{
	"BAD_REQUEST": 400, "UNAUTHORIZED": 401, codeUnknownInstitution: 404, codeUnknownSession: 404,
	codeQuestionOver: 409, codeTurnNeeded: 409, "TOO_MANY": 429, "UNAVAILABLE": 503,
}

// CodesOf returns the codes of a status in the order of the alphabet; none: the protocol does
// not have it.
func CodesOf(status int) (codes []string) {
	for code, of := range statuses {
		if of == status {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// refusal returns the error for an answer to a call that is not a success. A status that
// says that the source is down or busy comes before the code, which a gateway does not
// write. A 404 without a code is what many servers answer for a path they do not know: in a
// session, the session is gone.
func refusal(c call, resp *httpclient.Response, now time.Time) error {
	e := &institution.Error{HTTPStatus: resp.Status, Code: CodeOf(resp.Body), RequestID: c.requestID,
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), now)}
	switch {
	case resp.Status >= http.StatusInternalServerError, resp.Status == http.StatusRequestTimeout:
		e.Kind = institution.Unreachable
	case resp.Status == http.StatusTooManyRequests:
		e.Kind = institution.Busy
	case resp.Status >= 300 && resp.Status < 400:
		e.Kind = institution.ForeignAddress
	case resp.Status == http.StatusUnauthorized, resp.Status == http.StatusForbidden:
		e.Kind, e.Reason = institution.CertificateRejected, institution.OurCredentialsRejected
	case e.Code == codeUnknownInstitution:
		e.Kind, e.Reason = institution.Refused, institution.NotOfferedAtSource
	case resp.Status == http.StatusNotFound && (e.Code == codeUnknownSession || e.Code == "" && c.inSession()), resp.Status == http.StatusGone:
		e.Kind = institution.SessionGone
	case e.Code == codeQuestionOver:
		e.Kind = institution.QuestionOver
	case e.Code == codeTurnNeeded:
		e.Kind = institution.TurnNeeded
	default:
		e.Kind = institution.Refused
	}
	return e
}

// CodeOf returns the code of an error body, or "".
func CodeOf(body []byte) string {
	var decoded struct {
		Error string `json:"error"`
	}
	if len(body) > MaxBody || json.Unmarshal(body, &decoded) != nil || statuses[decoded.Error] == 0 {
		return ""
	}
	return decoded.Error
}

// maxDetails is how many faults an error tells of.
const maxDetails = 3

// malformed returns the error for an answer that breaks the protocol.
func malformed(requestID string, faults strictjson.Faults) error {
	var details []string
	for _, f := range faults[:min(len(faults), maxDetails)] {
		details = append(details, f.Error())
	}
	return &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: http.StatusOK, RequestID: requestID,
		Detail: strings.Join(details, "; "), Cause: faults}
}
