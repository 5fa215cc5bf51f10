package source

import "net/http"

// The errors of docs/source-protocol/README.md. Messages have no personal data.

func badRequest(message string) error {
	return &protocolError{status: http.StatusBadRequest, Code: "BAD_REQUEST", Message: message}
}

func unauthorized() error {
	return &protocolError{status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "no or wrong credentials"}
}

func unknownInstitution() error {
	return &protocolError{status: http.StatusNotFound, Code: "UNKNOWN_INSTITUTION", Message: "this institution is not offered here"}
}

func unknownSession() error {
	return &protocolError{status: http.StatusNotFound, Code: "UNKNOWN_SESSION", Message: "the session has ended, or was never known"}
}

func questionOver() error {
	return &protocolError{status: http.StatusConflict, Code: "QUESTION_OVER", Message: "the question is not open any more"}
}

func turnNeeded() error {
	return &protocolError{status: http.StatusConflict, Code: "TURN_NEEDED", Message: "the login is not done: ask for the turn"}
}

func tooMany() error {
	return &protocolError{status: http.StatusTooManyRequests, Code: "TOO_MANY", Message: "too many requests or sessions", retryAfter: 5}
}

func notAvailable() error {
	return &protocolError{status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: "the institution does not answer"}
}
