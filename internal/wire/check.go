package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"samla/internal/fault"
)

// CheckResponse holds an answer of this server against the document: the status
// is declared for the operation, the content type and the headers are as
// declared, and the body obeys its schema, has no member but the declared ones
// and writes times as Time does. An empty opID stands for a request that no
// operation answers (404 NOT_FOUND, 405 METHOD_NOT_ALLOWED). For tests: the
// error may quote the body.
func (c *Contract) CheckResponse(opID string, status int, header http.Header, body []byte) error {
	all, err := c.closed()
	if err != nil {
		return err
	}
	a := all.of[opID][status]
	if a == nil {
		return fmt.Errorf("%s: status %d is not declared", opID, status)
	}
	if err := a.check(header, body); err != nil {
		return fmt.Errorf("%s %d: %w", opID, status, err)
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
			return fmt.Errorf("header %s is there %d times", h.name, len(values))
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
	value, serr := parse(string(body))
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

// checkProblem checks the ties between members that a schema cannot tell.
func checkProblem(header http.Header, body []byte) error {
	var p problem
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

// CheckRequest holds a request of a client against the document: there is such
// an operation, it carries the credential and the version header, and query and
// body obey their rules. The body is read and put back. For tests of clients.
func (c *Contract) CheckRequest(r *http.Request) error {
	op := c.Find(r)
	if op == nil {
		return fmt.Errorf("%s %s: no such operation", r.Method, r.URL.Path)
	}
	if err := op.checkHeaders(r.Header); err != nil {
		return fmt.Errorf("%s: %w", op.ID, err)
	}
	if f := op.CheckQuery(r.URL.Query()); f != nil {
		return fmt.Errorf("%s: %w %v", op.ID, f, f.Fields)
	}
	if op.body == nil {
		return nil
	}
	raw, err := drain(&r.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", op.ID, err)
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(raw))
	if _, f := op.ReadBody(again); f != nil {
		return fmt.Errorf("%s: %w %v", op.ID, f, f.Fields)
	}
	return nil
}

func (op *Operation) checkHeaders(h http.Header) error {
	key, token := h.Get("authorization-token") != "", strings.HasPrefix(h.Get("Authorization"), "Bearer ")
	switch {
	case op.Versioned && h.Get("Insurely-Version") != Version:
		return errors.New("header Insurely-Version is not " + Version)
	case op.Credential == None:
		return nil
	case key && token:
		return errors.New("two credentials")
	case key && op.Credential.Has(APIKey), token && op.Credential.Has(Session):
		return nil
	}
	return errors.New("no credential that the operation accepts")
}
