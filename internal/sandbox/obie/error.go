package obie

import (
	"net/http"
	"strconv"

	"samla/internal/sandbox/obie/resource"
)

// apiError is an error answer of a resource (docs/reference/families.md 4.6). Its texts
// contain nothing of the request. Without problems it has no body.
type apiError struct {
	status     int
	problems   []resource.Problem
	retryAfter int    // header Retry-After in seconds; 0: none
	allow      string // header Allow of a 405
}

func problem(status int, code resource.ErrorCode, text, path string) *apiError {
	return &apiError{status: status, problems: []resource.Problem{{Code: code, Text: text, Path: path}}}
}

func badRequest(code resource.ErrorCode, text, path string) *apiError {
	return problem(http.StatusBadRequest, code, text, path)
}

func forbidden(code resource.ErrorCode, text string) *apiError {
	return problem(http.StatusForbidden, code, text, "")
}

func unexpected() *apiError {
	return problem(http.StatusInternalServerError, resource.Unexpected, "an unexpected error", "")
}

// notAuthorised is the answer to a missing or dead token: it has no body.
func notAuthorised() *apiError { return &apiError{status: http.StatusUnauthorized} }

// statusNames are the members Code of errors in version 3.1.11.
var statusNames = map[int]string{
	http.StatusBadRequest: "400 BadRequest", http.StatusForbidden: "403 Forbidden", http.StatusInternalServerError: "500 InternalServerError",
}

func (b *Bank) writeError(w http.ResponseWriter, e *apiError) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	if len(e.problems) == 0 {
		w.WriteHeader(e.status)
		return
	}
	id, err := b.newID()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeJSON(w, e.status, b.Version.Error(statusNames[e.status], id, e.problems...))
}
