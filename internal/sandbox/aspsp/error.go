package aspsp

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"samla/internal/sandbox/aspsp/tpp"
)

// apiError is an error response: an HTTP status and a code of the standard
// (docs/reference/banks.md 7). Its text contains nothing of the request.
type apiError struct {
	status     int
	code       string
	text       string
	retryAfter int    // header Retry-After in seconds; 0: none
	allow      string // header Allow of a 405
}

func newError(status int, code, text string) *apiError {
	return &apiError{status: status, code: code, text: text}
}

func unauthorized(code, text string) *apiError { return newError(http.StatusUnauthorized, code, text) }

func refusal(e *tpp.Error) *apiError { return newError(e.Status, e.Code, e.Text) }

func formatError(text string) *apiError { return newError(http.StatusBadRequest, "FORMAT_ERROR", text) }

func consentInvalid(text string) *apiError {
	return newError(http.StatusUnauthorized, "CONSENT_INVALID", text)
}

func resourceUnknown(text string) *apiError {
	return newError(http.StatusNotFound, "RESOURCE_UNKNOWN", text)
}

type tppMessage struct {
	Category string `json:"category"`
	Code     string `json:"code"`
	Text     string `json:"text,omitempty"`
}

// write writes the error in the bank's error form. An error without a code (415, 500,
// 503) has no body in the standard.
func (f *apiError) write(w http.ResponseWriter, problem bool) {
	h := w.Header()
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	if f.code == "" {
		w.WriteHeader(f.status)
		return
	}
	var body []byte
	if problem {
		h.Set("Content-Type", "application/problem+json")
		body, _ = json.Marshal(map[string]string{
			"type": "https://bank.example/errors/" + strings.ToLower(f.code), "title": http.StatusText(f.status),
			"detail": f.text, "code": f.code,
		})
	} else {
		h.Set("Content-Type", "application/json")
		body, _ = json.Marshal(map[string][]tppMessage{"tppMessages": {{"ERROR", f.code, f.text}}})
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}
