// Package httpapi shows the simulated BankID over HTTP: to relying parties as the
// RP API v6.0 (RP), and to whoever plays the phone as one JSON call and one page
// (Phone). It owns what is on the wire; the orders are package bankid's.
package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"

	"samla/internal/sandbox/bankid"
)

// The codes that only HTTP knows (docs/reference/banks.md 12.3).
const (
	unauthorized         = "unauthorized"
	notFound             = "notFound"
	methodNotAllowed     = "methodNotAllowed"
	unsupportedMediaType = "unsupportedMediaType"
	requestTimeout       = "requestTimeout"
	internalError        = "internalError"
	forbidden            = "forbidden" // of the phone only
)

// statuses is the HTTP status of each code, of both faces.
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

// refusal is err as a code, its HTTP status and one sentence. What is no
// bankid.Error is an internal error, whose text stays here.
func refusal(err error) (e *bankid.Error, status int) {
	if !errors.As(err, &e) {
		return &bankid.Error{Code: internalError, Details: "internal error"}, http.StatusInternalServerError
	}
	return e, statuses[e.Code]
}

// answerError writes err as the body of docs/reference/banks.md 12.3.
func answerError(w http.ResponseWriter, err error) {
	e, status := refusal(err)
	answer(w, status, struct {
		ErrorCode string `json:"errorCode"`
		Details   string `json:"details"`
	}{e.Code, e.Details})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// The caller may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

// read takes in a body of at most limit bytes.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
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

// decode reads exactly one JSON object that has only v's members, written as v
// writes them: encoding/json would take "endUserIP" for "endUserIp", and BankID
// does not. V must write all its members, empty or not. The error never quotes
// the body.
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
	if !within(got, known) {
		return invalid("the body has an unknown member")
	}
	return nil
}

// within tells whether every member of got, at every depth, is one of known.
func within(got, known map[string]any) bool {
	for name, value := range got {
		knownValue, ok := known[name]
		if !ok {
			return false
		}
		object, ok := value.(map[string]any)
		if knownObject, both := knownValue.(map[string]any); ok && both && !within(object, knownObject) {
			return false
		}
	}
	return true
}

func invalid(details string) error {
	return &bankid.Error{Code: bankid.InvalidParameters, Details: details}
}
