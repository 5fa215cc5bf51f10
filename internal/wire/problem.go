package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// problem is an error on the wire, members in the order of docs/reference/api.md 1.6.
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
	SupportedVersions []string          `json:"supportedVersions,omitempty"`
	NextAllowedAt     string            `json:"nextAllowedAt,omitempty"`
}

type fieldError struct {
	Pointer string          `json:"pointer"`
	Code    fault.FieldCode `json:"code"`
	Message string          `json:"message"`
}

// WriteProblem answers r with f as application/problem+json (RFC 9457, docs/reference/api.md
// 1.6), with the headers that belong to it: WWW-Authenticate on 401, Allow on
// 405, Retry-After where f has one. requestID is the one of the header
// X-Request-Id, which the caller sets. A nil fault and a code outside the
// closed set are answered as INTERNAL_ERROR, of which nothing further is told.
func WriteProblem(w http.ResponseWriter, r *http.Request, requestID string, f *fault.Fault) {
	p := describe(r, requestID, f)
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(p) // strings and integers: cannot fail

	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
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
	_, _ = w.Write(body.Bytes()) // the caller may be gone
}

func describe(r *http.Request, requestID string, f *fault.Fault) problem {
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
		Remedy:            info.Remedy,
		UserUUID:          f.UserID,
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

// seconds rounds up: who waits that long is not refused again.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
