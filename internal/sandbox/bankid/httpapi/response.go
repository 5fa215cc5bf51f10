// Package httpapi serves the simulated BankID over HTTP: the RP API v6.0 for relying
// parties (RP), and a JSON call and a web page for the phone (Phone). Package bankid
// stores the orders.
package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"

	"samla/internal/sandbox/bankid"
)

// Error codes of HTTP only (docs/reference/banks.md 12.3).
const (
	unauthorized         = "unauthorized"
	notFound             = "notFound"
	methodNotAllowed     = "methodNotAllowed"
	unsupportedMediaType = "unsupportedMediaType"
	requestTimeout       = "requestTimeout"
	internalError        = "internalError"
	forbidden            = "forbidden" // phone only
)

// statuses is the HTTP status of each code.
var statuses = map[bankid.Code]int{
	bankid.AlreadyInProgress: http.StatusBadRequest,
	bankid.InvalidParameters: http.StatusBadRequest,
	bankid.TooManyRequests:   http.StatusTooManyRequests,
	bankid.UnknownOrder:      http.StatusNotFound,
	bankid.InvalidQR:         http.StatusBadRequest,
	bankid.StaleQR:           http.StatusConflict,
	bankid.OrderEnded:        http.StatusConflict,
	bankid.WrongPerson:       http.StatusConflict,
	bankid.PersonNeeded:      http.StatusBadRequest,
	unauthorized:             http.StatusUnauthorized,
	forbidden:                http.StatusForbidden,
	notFound:                 http.StatusNotFound,
	methodNotAllowed:         http.StatusMethodNotAllowed,
	unsupportedMediaType:     http.StatusUnsupportedMediaType,
	requestTimeout:           http.StatusRequestTimeout,
}

// apiError returns err as an error of the API and its HTTP status. An err that is not a
// *bankid.Error becomes internalError without its text.
func apiError(err error) (e *bankid.Error, status int) {
	if !errors.As(err, &e) {
		return &bankid.Error{Code: internalError, Details: "internal error"}, http.StatusInternalServerError
	}
	return e, statuses[e.Code]
}

// writeError writes err as an error response of docs/reference/banks.md 12.3.
func writeError(w http.ResponseWriter, err error) {
	e, status := apiError(err)
	writeJSON(w, status, struct {
		ErrorCode string `json:"errorCode"`
		Details   string `json:"details"`
	}{e.Code, e.Details})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// An error means that the connection is closed, so it cannot be reported.
	_ = json.NewEncoder(w).Encode(v)
}

// readBody reads a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, invalid("the body is too large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &bankid.Error{Code: requestTimeout, Details: "the body took too long"}
	}
	return nil, invalid("the body ended early")
}

// decode parses a body that is exactly one JSON object with no members other than v's.
// Names are case-sensitive: encoding/json would accept "endUserIP" for "endUserIp", but
// BankID does not. v must marshal all its members, even empty ones. Errors never contain
// parts of the body.
func decode(body []byte, v any) error {
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil || got == nil {
		return invalid("the body is not one JSON object")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return invalid("a member has the wrong type")
	}
	written, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var known map[string]any
	if err := json.Unmarshal(written, &known); err != nil {
		return err
	}
	if !onlyMembersOf(got, known) {
		return invalid("the body has an unknown member")
	}
	return nil
}

// onlyMembersOf reports whether every member of got, at every depth, is one of known.
func onlyMembersOf(got, known map[string]any) bool {
	for name, value := range got {
		knownValue, ok := known[name]
		if !ok {
			return false
		}
		object, ok := value.(map[string]any)
		if knownObject, both := knownValue.(map[string]any); ok && both && !onlyMembersOf(object, knownObject) {
			return false
		}
	}
	return true
}

func invalid(details string) error {
	return &bankid.Error{Code: bankid.InvalidParameters, Details: details}
}
