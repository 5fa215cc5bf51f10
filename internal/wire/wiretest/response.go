package wiretest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// CheckResponse validates an answer of this server: the status is declared for the
// operation, the content type and the headers are as declared, and the body
// matches its schema. An empty opID stands for a request that no operation answers
// (404 NOT_FOUND, 405 METHOD_NOT_ALLOWED). The error may quote the body.
func (c *Contract) CheckResponse(opID string, status int, header http.Header, body []byte) error {
	a := c.answers[opID][status]
	if a == nil {
		return fmt.Errorf("%s: status %d is not declared", opID, status)
	}
	if err := a.check(header, body); err != nil {
		return fmt.Errorf("%s %d: %w", opID, status, err)
	}
	if opID == "" {
		return checkUnrouted(status, header, body)
	}
	return nil
}

// checkUnrouted validates the answer to a request that no operation answers.
func checkUnrouted(status int, header http.Header, body []byte) error {
	var p struct{ Code fault.Code }
	switch err := json.Unmarshal(body, &p); {
	case err != nil || !slices.Contains(ofNoOperation, p.Code) || fault.Of(p.Code).Status != status:
		return fmt.Errorf("%d: code %s of no operation", status, p.Code)
	case (header.Get("Allow") != "") != (p.Code == fault.MethodNotAllowed):
		return fmt.Errorf("%s: header Allow is %q", p.Code, header.Get("Allow"))
	}
	return nil
}

func (a *answer) check(header http.Header, body []byte) error {
	for _, h := range a.headers {
		values := header.Values(h.name)
		switch {
		case len(values) == 0 && h.required:
			return fmt.Errorf("header %s is missing", h.name)
		case len(values) > 1:
			return fmt.Errorf("header %s occurs %d times", h.name, len(values))
		case len(values) == 1:
			if err := h.schema.Validate(values[0]); err != nil {
				return fmt.Errorf("header %s: %w", h.name, err)
			}
		}
	}
	if a.body == nil {
		if len(body) > 0 {
			return errors.New("has a body")
		}
		return nil
	}
	if got := header.Get("Content-Type"); got != a.contentType {
		return fmt.Errorf("content type %q instead of %q", got, a.contentType)
	}
	value, serr := jsontext.Parse(string(body))
	if serr != nil {
		return fmt.Errorf("body: %w", serr)
	}
	if err := a.body.Validate(value); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if a.contentType == "application/problem+json" {
		return checkProblem(header, body)
	}
	return nil
}

// checkProblem validates what a schema cannot say: which members depend on each
// other.
func checkProblem(header http.Header, body []byte) error {
	var p struct {
		Type, Detail, Message, RequestID string

		Status      int
		Code        fault.Code
		Attribution fault.Attribution
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("problem: %w", err)
	}
	want := "urn:samla:problem:" + strings.ToLower(strings.ReplaceAll(string(p.Code), "_", "-"))
	info := fault.Of(p.Code)
	switch {
	case p.Type != want:
		return fmt.Errorf("problem: type %q of code %s", p.Type, p.Code)
	case p.Detail != p.Message:
		return errors.New("problem: detail and message differ")
	case p.RequestID != header.Get("X-Request-Id"):
		return errors.New("problem: requestId is not the one of the header")
	case p.Status != info.Status || p.Attribution != info.Attribution:
		return fmt.Errorf("problem: status or attribution is not that of %s", p.Code)
	}
	return nil
}
