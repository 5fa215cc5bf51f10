package wire

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// problem is a problem document, with its members in the order of
// docs/reference/api.md 1.6.
type problem struct {
	Type              string            `json:"type"`
	Title             string            `json:"title"`
	Status            int               `json:"status"`
	Detail            string            `json:"detail"`
	Instance          string            `json:"instance"`
	Code              fault.Code        `json:"code"`
	Message           string            `json:"message"`
	Details           string            `json:"details,omitempty"`
	RequestID         string            `json:"requestId"`
	Errors            *[]fieldError     `json:"errors,omitempty"`
	Attribution       fault.Attribution `json:"attribution"`
	Remedy            string            `json:"remedy"`
	UserUUID          string            `json:"userUuid,omitempty"`
	ConsentID         string            `json:"consentId,omitempty"`
	SupportedVersions []string          `json:"supportedVersions,omitempty"`
	NextAllowedAt     string            `json:"nextAllowedAt,omitempty"`
}

type fieldError struct {
	Pointer string          `json:"pointer"`
	Code    fault.FieldCode `json:"code"`
	Message string          `json:"message"`
}

// WriteProblem answers r with f as application/problem+json (RFC 9457,
// docs/reference/api.md 1.6) and with its headers: WWW-Authenticate for 401, Allow for
// 405, Retry-After if f has one. The caller sets the header X-Request-Id to
// requestID. A nil fault and one with an unknown code become INTERNAL_ERROR, without
// any of their members.
func WriteProblem(w http.ResponseWriter, r *http.Request, requestID string, f *fault.Fault) {
	p := newProblem(r, requestID, f)
	body, _ := jsontext.Marshal(p) // texts and integers: cannot fail
	body = append(body, '\n')

	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", f.Allow)
	}
	if f != nil && f.RetryAfter > 0 {
		h.Set("Retry-After", seconds(f.RetryAfter))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // fails if the client is gone
}

func newProblem(r *http.Request, requestID string, f *fault.Fault) problem {
	if f == nil {
		f = fault.New(fault.Internal)
	}
	code := f.Code
	info := fault.Of(code)
	if info == fault.Of(fault.Internal) {
		f, code = &fault.Fault{}, fault.Internal
	}
	p := problem{
		Type:              "urn:samla:problem:" + strings.ToLower(strings.ReplaceAll(string(code), "_", "-")),
		Title:             info.Title,
		Status:            info.Status,
		Detail:            info.Message,
		Instance:          r.URL.EscapedPath(),
		Code:              code,
		Message:           info.Message,
		Details:           f.Details,
		RequestID:         requestID,
		Attribution:       info.Attribution,
		Remedy:            cmp.Or(f.Remedy, info.Remedy),
		UserUUID:          f.UserID,
		ConsentID:         f.ConsentID,
		SupportedVersions: f.SupportedVersions,
	}
	if code == fault.InvalidParameter {
		list := make([]fieldError, len(f.Fields))
		for i, field := range f.Fields {
			list[i] = fieldError(field)
		}
		p.Errors = &list
	}
	if !f.NextAllowedAt.IsZero() {
		p.NextAllowedAt = jsontext.Time(f.NextAllowedAt)
	}
	return p
}

// seconds rounds up, so that a client that waits that long is allowed again.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
