package wire

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"samla/internal/jsontext"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Credential is the set of credentials that an operation accepts (docs/reference/api.md 1.3).
type Credential uint8

// The credentials. Either is both kinds, one of them at a time.
const (
	None    Credential = 0
	APIKey  Credential = 1 << 0 // header authorization-token
	Session Credential = 1 << 1 // header Authorization: Bearer
	Either             = APIKey | Session
)

// Has tells whether every kind in k is accepted.
func (c Credential) Has(k Credential) bool { return c&k == k }

// Operation is one method of one path, as the document describes it.
type Operation struct {
	ID            string // operationId, docs/reference/api.md section 2
	Method        string // upper case
	Pattern       string // path in the form of http.ServeMux, e.g. "/consents/{consentId}/status"
	Credential    Credential
	Versioned     bool // the header Insurely-Version is read and answered
	Idempotent    bool // the header Idempotency-Key is read (docs/reference/api.md 1.7)
	Paged         bool // the query parameters limit and cursor are read (docs/reference/api.md 1.8)
	SuccessStatus int  // the one 2xx status

	body  *bodyRule // nil: a request body is ignored
	query []queryParam
	at    string // where the operation stands in the document
}

// Route is the pattern with its method, as http.ServeMux.Handle takes it.
func (op *Operation) Route() string { return op.Method + " " + op.Pattern }

// HasBody tells whether the operation reads a request body.
func (op *Operation) HasBody() bool { return op.body != nil }

var methods = []string{"get", "post", "put", "patch", "delete"}

func (c *Contract) readOperations(s *schemas) error {
	for path, item := range c.tree.object("/paths") {
		for _, method := range methods {
			if _, ok := item.(map[string]any)[method]; !ok {
				continue
			}
			op, err := c.readOperation(s, path, method)
			if err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
			c.operations = append(c.operations, op)
		}
	}
	slices.SortFunc(c.operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Pattern, b.Pattern), cmp.Compare(a.Method, b.Method))
	})
	for i := range c.operations {
		op := &c.operations[i]
		if op.ID == "" || c.byID[op.ID] != nil {
			return fmt.Errorf("%s: operationId missing or not unique", op.Route())
		}
		c.byID[op.ID] = op
		c.byRoute[op.Route()] = op
		c.router.Handle(op.Route(), http.NotFoundHandler())
	}
	return nil
}

func (c *Contract) readOperation(s *schemas, path, method string) (Operation, error) {
	at := "/paths/" + jsontext.EscapeToken(path) + "/" + method
	op := Operation{Method: upper(method), Pattern: path, ID: c.tree.text(at + "/operationId"), at: at}
	for _, need := range c.tree.list(at + "/security") {
		for name := range need.(map[string]any) {
			op.Credential |= map[string]Credential{"apiKey": APIKey, "session": Session}[name]
		}
	}
	for status := range c.tree.object(at + "/responses") {
		if n, err := strconv.Atoi(status); err != nil {
			return op, fmt.Errorf("status %q: %w", status, err)
		} else if n/100 == 2 {
			op.SuccessStatus = n
		}
	}
	if err := op.readParameters(c.tree, s); err != nil {
		return op, err
	}
	schema := at + "/requestBody/content/application~1json/schema"
	if c.tree.has(schema) {
		compiled, err := s.compile(schema)
		if err != nil {
			return op, err
		}
		op.body = &bodyRule{schema: compiled, rules: s.rules, names: s.names}
	}
	return op, nil
}

func (op *Operation) readParameters(t tree, s *schemas) error {
	for i := range t.list(op.at + "/parameters") {
		_, at := t.resolve(op.at + "/parameters/" + strconv.Itoa(i))
		name := t.text(at + "/name")
		switch t.text(at + "/in") {
		case "query":
			schema, err := s.compile(at + "/schema")
			if err != nil {
				return err
			}
			p := queryParam{name: name, schema: schema, rules: s.rules}
			p.required, _ = t.node(at + "/required").(bool)
			op.query = append(op.query, p)
			op.Paged = op.Paged || name == "cursor"
		case "header":
			op.Versioned = op.Versioned || name == "Insurely-Version"
			op.Idempotent = op.Idempotent || name == "Idempotency-Key"
		}
	}
	return nil
}

// bodyRule is what a request body must obey.
type bodyRule struct {
	schema *jsonschema.Schema
	rules  ruleBook
	names  nameSet
}
