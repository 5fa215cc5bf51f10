package oauth

import "net/http"

// Error is an error of RFC 6749 4.1.2.1 or 5.2, or of RFC 6750 3.1. Text contains nothing
// of the request.
type Error struct {
	Code   string
	Text   string
	Status int // at the token endpoint; 0: 400
}

// Error implements error.
func (e *Error) Error() string { return "oauth: " + e.Code + ": " + e.Text }

func invalidRequest(text string) *Error { return &Error{Code: "invalid_request", Text: text} }

func invalidGrant(text string) *Error { return &Error{Code: "invalid_grant", Text: text} }

// InvalidClient is the error of Config.Authenticate for an unknown client.
func InvalidClient(text string) *Error {
	return &Error{Code: "invalid_client", Text: text, Status: http.StatusUnauthorized}
}

// AccessDenied is the error with which a person refuses.
func AccessDenied() *Error { return &Error{Code: "access_denied", Text: "the person has refused"} }

// Errors of Server.Check.
var (
	ErrMissing = &Error{Code: "missing", Text: "the request has no bearer token"}
	ErrInvalid = &Error{Code: "invalid_token", Text: "the token is unknown, dead, or bound to another certificate"}
	ErrExpired = &Error{Code: "invalid_token", Text: "the token has expired"}
)
