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
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
	"samla/internal/jsontext"
	"samla/internal/wire"
)

// Contract is a compiled document. It is safe for concurrent use.
type Contract struct {
	*wire.Contract
	root    any // the document with its rules
	written *jsonschema.Compiler
	read    *jsonschema.Compiler
	answers map[string]map[int]*answer // by operationId ("" = no operation) and status
	bodies  map[string]bool            // the operations that read a request body
	routes  *http.ServeMux
}

// ofNoOperation has the codes of requests that no operation answers. The document
// declares them with the response Error.
var ofNoOperation = []fault.Code{fault.NotFound, fault.MethodNotAllowed, fault.MalformedRequest, fault.ExpectationFailed, fault.HeadersTooLarge}

// answer is one response of the document.
type answer struct {
	contentType string // empty: no body
	body        *jsonschema.Schema
	headers     []headerRule
	codes       []fault.Code // of a problem document
}

type headerRule struct {
	name     string
	required bool
	schema   *jsonschema.Schema
}

// loaded has a func() (*Contract, error) for each *wire.Contract.
var loaded sync.Map

// Load compiles the document of a contract, once for each contract. An error means
// that the document is broken.
func Load(of *wire.Contract) (*Contract, error) {
	f, _ := loaded.LoadOrStore(of, sync.OnceValues(func() (*Contract, error) { return load(of) }))
	return f.(func() (*Contract, error))()
}

func load(of *wire.Contract) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(of.Text())
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	strict, err := of.Strict()
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(strict))
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	c := &Contract{root: root, Contract: of, answers: map[string]map[int]*answer{"": {}}, bodies: map[string]bool{}, routes: http.NewServeMux()}
	if c.written, err = newCompiler(strict, written); err != nil {
		return nil, err
	}
	if c.read, err = newCompiler(strict, read); err != nil {
		return nil, err
	}
	other, err := c.readAnswer(doc.Components.Responses["Error"], "/components/responses/Error")
	if err != nil {
		return nil, err
	}
	for _, code := range ofNoOperation {
		c.answers[""][fault.Of(code).Status] = other
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := "/paths/" + jsontext.EscapeToken(path) + "/" + strings.ToLower(method)
			if c.answers[op.OperationID], err = c.readAnswers(op, at); err != nil {
				return nil, err
			}
			c.bodies[op.OperationID] = op.RequestBody != nil
			c.routes.Handle(method+" "+path, route(op.OperationID))
		}
	}
	return c, nil
}

// route is the operationId that a request is routed to. It is never served.
type route string

func (route) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Find returns the operation that answers the method and the path of r, or nil if
// the document has none.
func (c *Contract) Find(r *http.Request) *wire.Operation {
	h, _ := c.routes.Handler(r)
	if id, ok := h.(route); ok {
		return c.Operation(string(id))
	}
	return nil
}

func (c *Contract) readAnswers(op *openapi3.Operation, at string) (map[int]*answer, error) {
	byStatus := map[int]*answer{}
	for text, ref := range op.Responses.Map() {
		if text == "default" {
			continue // for generated clients: this server answers what is declared
		}
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
		schema, err := c.WrittenSchema(at + "/content/" + jsontext.EscapeToken(media) + "/schema")
		if err != nil {
			return nil, err
		}
		a.contentType, a.body = media, schema
		for _, code := range c.enum(at + "/content/" + jsontext.EscapeToken(media) + "/schema/properties/code") {
			a.codes = append(a.codes, fault.Code(code))
		}
	}
	for name, h := range ref.Value.Headers {
		schema, err := c.WrittenSchema(place(h.Ref, at+"/headers/"+name) + "/schema")
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
