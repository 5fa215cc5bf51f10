package nordea

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"samla/internal/sandbox/nordea/grant"
)

// Failure codes (docs/reference/families.md 3.8, with the marks of each).
const (
	codeApplication = "error.apikey.missing"
	codeSignature   = "error.signature.invalid"
	codeCertificate = "error.certificate.invalid"
	codeToken       = "error.token.invalid"
	codeExpired     = "error.token.expired"
	codeDenied      = "error.resource.denied"
	codeUnknown     = "error.resource.notfound"
	codeMethod      = "error.method.notallowed"
	codeValidation  = "error.validation"
	codeCode        = "error.code.invalid"
	codeTooMany     = "error.request.limit"
	codeServer      = "error.server"
	codeUnavailable = "error.service.unavailable"
	codeCancelled   = "error.session.cancelled"
	codeTimedOut    = "error.bankid.expired"
	codeBankID      = "error.bankid.failed"
	codeInProgress  = "error.bankid.already_in_progress"
)

// apiError is a refused request. Its texts contain nothing of the request.
type apiError struct {
	status  int
	failure failure
	header  map[string]string
	body    any // instead of the envelope
}

type failure struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Path        string `json:"path,omitempty"`
	Type        string `json:"type,omitempty"`
}

func newError(status int, code, text string) *apiError {
	return &apiError{status: status, failure: failure{Code: code, Description: text}}
}

// invalid reports a member, a header or a parameter that has no allowed value.
func invalid(path, kind, text string) *apiError {
	return &apiError{status: http.StatusBadRequest, failure: failure{codeValidation, text, path, kind}}
}

func unauthorized(code, text string) *apiError {
	return newError(http.StatusUnauthorized, code, text)
}

func denied(text string) *apiError { return newError(http.StatusForbidden, codeDenied, text) }

func notFound() *apiError {
	return newError(http.StatusNotFound, codeUnknown, "The resource does not exist.")
}

func serverError() *apiError {
	return newError(http.StatusInternalServerError, codeServer, "An internal error occurred.")
}

// fault turns an error of a state machine into an answer.
func fault(err error) *apiError {
	switch {
	case errors.Is(err, grant.ErrCode):
		return newError(http.StatusBadRequest, codeCode, "The code is unknown, used or expired.")
	case errors.Is(err, grant.ErrExpired):
		return unauthorized(codeExpired, "Bearer token is not valid anymore") // docs/reference/families.md 3.8, T
	case errors.Is(err, grant.ErrToken):
		return unauthorized(codeToken, "The token is not valid.")
	}
	return serverError()
}

// groupHeader is in every answer but those of logins and tokens.
type groupHeader struct {
	MessageID string      `json:"message_identification"`
	Created   string      `json:"creation_date_time"`
	Code      int         `json:"http_code"`
	Page      *pagination `json:"message_pagination,omitempty"`
}

type pagination struct {
	Key string `json:"continuation_key,omitempty"`
}

func (c *call) group(status int, page *pagination) groupHeader {
	return groupHeader{c.messageID, c.Clock.Now().UTC().Format(time.RFC3339Nano), status, page}
}

// answer returns the envelope of the error; request.url is the path below /personal or
// /business (docs/reference/families.md 3.8).
func (f *apiError) answer(c *call) (status int, header map[string]string, body []byte) {
	var v any = map[string]any{
		"group_header": c.group(f.status, nil),
		"error": map[string]any{
			"request": map[string]string{"url": "/" + c.path}, "failures": []failure{f.failure},
		},
	}
	if f.body != nil {
		v = f.body
	}
	text, _ := json.Marshal(v) // texts and numbers: it cannot fail
	return f.status, f.header, text
}

func retryAfter(d time.Duration) map[string]string {
	return map[string]string{"Retry-After": strconv.Itoa(int(d/time.Second) + 1)}
}
