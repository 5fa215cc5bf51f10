// Package wiretest validates whole exchanges with the API against its OpenAPI
// document. It reads the document by itself, with a standard JSON Schema
// validator, and shares no schema code with package wire: the two readings meet
// in the tests of the handlers and of the suites under test.
//
// It is stricter than what a client may rely on: an answer has only the declared
// members, and writes times as jsontext.Time does.
//
// Only tests import this package.
package wiretest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/jsontext"
	"samla/internal/wire"
)

// Contract is the compiled document. It is safe for concurrent use.
type Contract struct {
	*wire.Contract
	schemas *jsonschema.Compiler
	answers map[string]map[int]*answer // by operationId ("" = no operation) and status
}

// answer is one response of the document.
type answer struct {
	contentType string // empty: no body
	body        *jsonschema.Schema
	headers     []headerRule
}

type headerRule struct {
	name     string
	required bool
	schema   *jsonschema.Schema
}

// Load compiles the document, once a process. An error means that the document
// is broken.
func Load() (*Contract, error) { return load() }

var load = sync.OnceValues(func() (*Contract, error) {
	routes, err := wire.Load()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(wire.Document())
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	schemas, err := newCompiler(wire.Document())
	if err != nil {
		return nil, err
	}
	c := &Contract{Contract: routes, schemas: schemas, answers: map[string]map[int]*answer{"": {}}}
	for status, name := range map[int]string{404: "NotFound", 405: "MethodNotAllowed"} {
		a, err := c.readAnswer(doc.Components.Responses[name], "/components/responses/"+name)
		if err != nil {
			return nil, err
		}
		c.answers[""][status] = a
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := "/paths/" + jsontext.EscapeToken(path) + "/" + strings.ToLower(method)
			if c.answers[op.OperationID], err = c.readAnswers(op, at); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
})

func (c *Contract) readAnswers(op *openapi3.Operation, at string) (map[int]*answer, error) {
	byStatus := map[int]*answer{}
	for text, ref := range op.Responses.Map() {
		status, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("wiretest: %s: status %q", op.OperationID, text)
		}
		if byStatus[status], err = c.readAnswer(ref, at+"/responses/"+text); err != nil {
			return nil, fmt.Errorf("wiretest: %s %d: %w", op.OperationID, status, err)
		}
	}
	return byStatus, nil
}

func (c *Contract) readAnswer(ref *openapi3.ResponseRef, at string) (*answer, error) {
	if ref == nil {
		return nil, errors.New("no response " + at)
	}
	at = place(ref.Ref, at)
	a := &answer{}
	for media := range ref.Value.Content {
		schema, err := c.Schema(at + "/content/" + jsontext.EscapeToken(media) + "/schema")
		if err != nil {
			return nil, err
		}
		a.contentType, a.body = media, schema
	}
	for name, h := range ref.Value.Headers {
		schema, err := c.Schema(place(h.Ref, at+"/headers/"+name) + "/schema")
		if err != nil {
			return nil, err
		}
		a.headers = append(a.headers, headerRule{name, h.Value.Required, schema})
	}
	return a, nil
}

// place returns the JSON pointer of an object of the document: where it is
// referred to, or where it is.
func place(ref, at string) string {
	if ref != "" {
		return strings.TrimPrefix(ref, "#")
	}
	return at
}
