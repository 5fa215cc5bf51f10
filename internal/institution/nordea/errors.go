package nordea

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
)

// failure is what an error body says: that of the bank (docs/reference/families.md 3.8),
// or that of the gateway before it.
type failure struct {
	isAnswer  bool   // the body is an error, whatever its status
	status    int    // what the body says of its status; 0 = nothing
	code      string // of the first failure, in lower case
	text      string // its description, in lower case; never shown
	path      string // the member that it is about
	messageID string
	gateway   bool
}

type errorBody struct {
	Header struct {
		Message loose.Text `json:"message_identification"`
		Code    loose.Text `json:"http_code"`
	} `json:"group_header"`
	Error *struct {
		Failures loose.List[struct {
			Code        loose.Text `json:"code"`
			Description loose.Text `json:"description"`
			Path        loose.Text `json:"path"`
		}] `json:"failures"`
	} `json:"error"`
	Response json.RawMessage `json:"response"`
	HTTPCode loose.Text      `json:"httpCode"` // of the gateway
}

// longestErrorBody is more than an error has. A longer body is not searched for one.
const longestErrorBody = 16 << 10

func failureIn(resp *httpclient.Response) failure {
	if len(resp.Body) > longestErrorBody || !bytes.Contains(resp.Body, []byte(`"error"`)) && !bytes.Contains(resp.Body, []byte(`"httpCode"`)) {
		return failure{}
	}
	var body errorBody
	if loose.Decode(resp.Body, &body) != nil {
		return failure{}
	}
	f := failure{messageID: messageID(string(body.Header.Message)), gateway: body.HTTPCode != "" && body.Error == nil}
	f.status = small(body.Header.Code)
	if f.gateway {
		f.status = small(body.HTTPCode)
	}
	f.isAnswer = f.gateway || body.Error != nil && body.Response == nil
	if body.Error != nil && len(body.Error.Failures) > 0 {
		first := body.Error.Failures[0]
		f.code, f.text, f.path = lower(first.Code), lower(first.Description), string(first.Path)
	}
	return f
}

func lower(t loose.Text) string { return strings.ToLower(strings.TrimSpace(string(t))) }

// The documented codes (docs/reference/families.md 3.8) and those that clients of Nordea
// have seen. An error of ours repeats no other: it could contain anything.
const (
	codeCancelled    = "error.session.cancelled"
	codeTokenExpired = "error.token.expired" //nolint:gosec // no credential
	codeDenied       = "error.resource.denied"
)

var shownCodes = map[string]bool{
	"error.apikey.missing": true, "error.token": true, "error.token.invalid": true, codeTokenExpired: true,
	"error.signature.invalid": true, codeDenied: true, codeCancelled: true, "error.validation": true,
}

// has reports whether the code of the failure contains one of the words.
func (f failure) has(words ...string) bool { return containsAny(f.code, words...) }

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// refusal returns the error for an answer that is not a success. What a status says of the
// gateway precedes the code.
func (b *Bank) refusal(c call, resp *httpclient.Response, f failure) *institution.Error {
	status := resp.Status
	if status >= 200 && status < 300 && f.status >= 400 { // an error with the status of a success
		status = f.status
	}
	now := b.clock.Now()
	e := &institution.Error{HTTPStatus: resp.Status, RequestID: f.messageID, RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), now)}
	if shownCodes[f.code] {
		e.Code = f.code
	}
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		e.Kind = institution.Unreachable
	case status >= 300 && status < 400:
		e.Kind = institution.ForeignAddress
	case status == http.StatusTooManyRequests:
		e.Kind = tooMany(c, f)
	case f.has("apikey"), f.gateway && status == http.StatusUnauthorized:
		e.Kind, e.Reason = institution.CertificateRejected, institution.OurCredentialsRejected
	case f.has("signature", "digest"):
		e.Kind, e.Reason = institution.CertificateRejected, institution.OurSignatureRejected
	case !c.operation.reads():
		e.Kind = setupKind(status, f)
		if e.Kind == institution.CertificateRejected {
			e.Reason = institution.OurCredentialsRejected
		}
	case httperror.IsPage(resp.Body):
		e.Kind = institution.Unreachable // of a gateway, during maintenance for example
	default:
		e.Kind = readKind(c.operation, status, f)
		e.NotCounted = e.Kind == institution.Refused && status == http.StatusBadRequest
		e.Parameter = parameterIn(f)
	}
	return e
}

// tooMany tells apart what the gateway refuses because all of our requests are too many
// in a second, and what the bank refuses because the person was not there too often in a
// day. In the person's presence it counts nothing (RTS art. 36(5)).
func tooMany(c call, f failure) institution.ErrorKind {
	if f.gateway || !c.operation.reads() || c.psu.Attended() {
		return institution.Busy
	}
	return institution.AccessExceeded
}

// setupKind is the kind of a refusal before there is a token.
func setupKind(status int, f failure) institution.ErrorKind {
	switch {
	case f.has("progress", "already"):
		return institution.Conflict
	case status == http.StatusUnauthorized:
		return institution.CertificateRejected // there is no token that it could be about
	case status == http.StatusForbidden, strings.Contains(f.path, "psu_id"):
		return institution.PersonRefused
	}
	return institution.Refused
}

// readKind is the kind of a refusal of data. A consent that was withdrawn at the bank is
// 403 with a text, seen by a client of Nordea: its code says only that the resource is
// denied, as for an account that was not granted.
//
// Only the bank's own word says that there are no cards: without it, a 403 or 404 is of
// something before the bank, and the cards are not known.
func readKind(o operation, status int, f failure) institution.ErrorKind {
	switch {
	case status == http.StatusUnauthorized, f.has("error.token"):
		return institution.TokenRefused
	case status == http.StatusForbidden && (f.has("consent") || strings.Contains(f.text, "consent not found")):
		return institution.ConsentGone
	case o == opCards && !f.has("error.resource"):
		return institution.Refused
	case status == http.StatusForbidden, status == http.StatusNotFound && o >= opCards:
		return institution.NotCovered
	}
	return institution.Refused
}

// The query members of transactions.
const (
	fromParameter     = "from_date"
	toParameter       = "to_date"
	keyParameter      = "continuation_key"
	languageParameter = "language"
)

func parameterIn(f failure) string {
	for _, name := range []string{fromParameter, toParameter, keyParameter, languageParameter} {
		if strings.Contains(f.path, name) {
			return name
		}
	}
	return ""
}
