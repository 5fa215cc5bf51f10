package harness

import (
	"encoding/json"
	"net/http"
	"testing"

	"samla/internal/fault"
)

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is an error body, as far as tests look at it.
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

// Is holds the status against what is expected and decodes the body into out,
// unless that is nil.
func (a Answer) Is(t *testing.T, status int, out any) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d instead of %d: %s", a.Status, status, a.Body)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body, out); err != nil {
			t.Fatalf("%v: %s", err, a.Body)
		}
	}
	return a
}

// Fails holds the answer against a documented problem, its status with it.
func (a Answer) Fails(t *testing.T, code fault.Code) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(a.Body, &p); err != nil {
		t.Fatalf("no problem (%v): status %d: %s", err, a.Status, a.Body)
	}
	if p.Code != code || a.Status != fault.Of(code).Status {
		t.Fatalf("%d %s instead of %s: %s", a.Status, p.Code, code, a.Body)
	}
	return p
}
