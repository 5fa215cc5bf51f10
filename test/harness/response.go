package harness

import (
	"encoding/json"
	"net/http"
	"testing"

	"samla/internal/fault"
)

// Response is a response of the server.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is a problem document with the members that tests use.
type Problem struct {
	Code              fault.Code        `json:"code"`
	Status            int               `json:"status"`
	RequestID         string            `json:"requestId"`
	Instance          string            `json:"instance"`
	Details           string            `json:"details"`
	Attribution       fault.Attribution `json:"attribution"`
	UserUUID          string            `json:"userUuid"`
	NextAllowedAt     string            `json:"nextAllowedAt"`
	SupportedVersions []string          `json:"supportedVersions"`
	Errors            []struct {
		Pointer string          `json:"pointer"`
		Code    fault.FieldCode `json:"code"`
	} `json:"errors"`
}

// code returns the code of a problem document, or "" for any other answer.
func (a Response) code() fault.Code {
	var p Problem
	if a.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(a.Body, &p) != nil {
		return ""
	}
	return p.Code
}

// WantStatus fails the test unless the response has this status. It decodes the body into
// out, unless out is nil.
func (a Response) WantStatus(t *testing.T, status int, out any) Response {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body, out); err != nil {
			t.Fatalf("%v: %s", err, a.Body)
		}
	}
	return a
}

// WantProblem fails the test unless the response is a problem document with this code and
// the status of that code.
func (a Response) WantProblem(t *testing.T, code fault.Code) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatalf("not a problem document (%v): status %d: %s", err, a.Status, a.Body)
	}
	if p.Code != code || a.Status != fault.Of(code).Status {
		t.Fatalf("%d %s, want %s: %s", a.Status, p.Code, code, a.Body)
	}
	return p
}
