package enablebanking

import "net/http"

// apiError is a refusal: an HTTP status and a code of docs/reference/families.md 11.1.
// Which status belongs to which code is known of some only; the others are a choice. The
// texts contain nothing of the request.
type apiError struct {
	Message string `json:"message"`
	Code    int    `json:"code"`
	Error   string `json:"error"`
	Detail  any    `json:"detail,omitempty"`
}

func refuse(status int, code, detail string) *apiError {
	e := &apiError{Message: messages[code], Code: status, Error: code}
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	if detail != "" {
		e.Detail = detail
	}
	return e
}

// messages are texts of ours; those of the gateway are not part of its contract.
var messages = map[string]string{
	"ASPSP_ERROR":               "The bank answered with an error",
	"ASPSP_TIMEOUT":             "The bank did not answer in time",
	"ASPSP_RATE_LIMIT_EXCEEDED": "Too many requests to the bank",
	"ASPSP_PSU_ACTION_REQUIRED": "The person must act at the bank",
	"PSU_HEADER_NOT_PROVIDED":   "A required PSU header is missing",
	"EXPIRED_SESSION":           "The session has expired",
	"REVOKED_SESSION":           "The session was revoked",
	"CLOSED_SESSION":            "The session is closed",
}

// wrong is the refusal of a parameter.
func wrong(detail string) *apiError {
	return refuse(http.StatusUnprocessableEntity, "WRONG_REQUEST_PARAMETERS", detail)
}

// bankFailed are the refusals that stand for failures of a bank.
var (
	bankFailed   = func() *apiError { return refuse(http.StatusBadRequest, "ASPSP_ERROR", "Service unavailable") }
	bankTimedOut = func() *apiError { return refuse(http.StatusRequestTimeout, "ASPSP_TIMEOUT", "") }
	bankWantsPSU = func() *apiError { return refuse(http.StatusBadRequest, "ASPSP_PSU_ACTION_REQUIRED", "") }
	bankLimits   = func() *apiError {
		e := refuse(http.StatusTooManyRequests, "ASPSP_RATE_LIMIT_EXCEEDED", "")
		e.Detail = map[string]any{"message": "Too many requests", "error_name": "RateLimitException", "error_data": map[string]any{}}
		return e
	}
)
