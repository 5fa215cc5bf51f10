package wire

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"samla/internal/jsontext"
)

// Header fields that an operation can declare as parameters, in canonical form.
const (
	VersionHeader     = "Insurely-Version" // docs/reference/api.md 1.2
	IdempotencyHeader = "Idempotency-Key"  // docs/reference/api.md 1.7
)

// Operation is one method of one path of a document.
type Operation struct {
	ID         string // operationId
	Method     string // upper case
	Pattern    string // path in the form of http.ServeMux, such as "/users/{userUuid}"
	Credential Credential
	Versioned  bool // reads and answers VersionHeader
	Idempotent bool // reads IdempotencyHeader

	body  *bodySchema // nil: a request body is ignored
	query []queryParameter
}

// Route is the method and the pattern, as http.ServeMux.Handle takes them.
func (op *Operation) Route() string { return op.Method + " " + op.Pattern }

// QueryParameters returns the names of the query parameters that the operation reads.
func (op *Operation) QueryParameters() []string {
	names := make([]string, len(op.query))
	for i := range op.query {
		names[i] = op.query[i].name
	}
	return names
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func readOperations(doc document, s *schemas) ([]Operation, error) {
	var all []Operation
	ids := map[string]bool{}
	for path, item := range doc.object("/paths") {
		members, _ := item.(map[string]any)
		for _, method := range methods {
			if _, ok := members[strings.ToLower(method)]; !ok {
				continue
			}
			op := Operation{Method: method, Pattern: path}
			if err := op.read(doc, s); err != nil {
				return nil, fmt.Errorf("%s: %w", op.Route(), err)
			}
			if op.ID == "" || ids[op.ID] {
				return nil, fmt.Errorf("%s: operationId %q is missing or not unique", op.Route(), op.ID)
			}
			ids[op.ID] = true
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Method, b.Method))
	})
	return all, nil
}

func (op *Operation) read(doc document, s *schemas) (err error) {
	at := "/paths/" + jsontext.EscapeToken(op.Pattern) + "/" + strings.ToLower(op.Method)
	op.ID = doc.text(at + "/operationId")
	if op.Credential, err = doc.readSecurity(at + "/security"); err != nil {
		return err
	}
	if err := op.readParameters(doc, s, at+"/parameters"); err != nil {
		return err
	}
	if schema := at + "/requestBody/content/application~1json/schema"; doc.has(schema) {
		compiled, err := s.compile(schema)
		if err != nil {
			return err
		}
		limit, err := doc.maxBody(at + "/requestBody/x-max-body")
		if err != nil {
			return err
		}
		required, given := doc.node(at + "/requestBody/required").(bool)
		op.body = &bodySchema{absent: given && !required, schema: compiled, rules: s.rules, names: s.names, limit: limit, large: make(chan struct{}, largeBodies)}
	}
	return nil
}

// maxBody reads the keyword x-max-body of a request body: a number of bytes.
func (d document) maxBody(pointer string) (int64, error) {
	if !d.has(pointer) {
		return MaxBody, nil
	}
	n, _ := d.node(pointer).(json.Number)
	limit, err := n.Int64()
	if err != nil || limit < 1 {
		return 0, errors.New("x-max-body is no number of bytes")
	}
	return limit, nil
}

func (op *Operation) readParameters(doc document, s *schemas, list string) error {
	for i := range doc.list(list) {
		_, at := doc.resolve(list + "/" + strconv.Itoa(i))
		name := doc.text(at + "/name")
		switch doc.text(at + "/in") {
		case "query":
			schema, err := s.compile(at + "/schema")
			if err != nil {
				return err
			}
			required, _ := doc.node(at + "/required").(bool)
			op.query = append(op.query, queryParameter{name: name, required: required, schema: schema, rules: s.rules})
		case "header":
			op.Versioned = op.Versioned || name == VersionHeader
			op.Idempotent = op.Idempotent || name == IdempotencyHeader
		}
	}
	return nil
}
