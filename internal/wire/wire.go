// Package wire loads OpenAPI documents and validates requests with them, and it
// turns faults into problem documents (docs/reference/api.md 1.6).
//
// It knows no version of the API and no operation: a version's package embeds its
// document and loads it here. Package api routes requests to the operations, reads
// bodies and queries with them, and writes each error with WriteProblem. Rules that
// a schema cannot express (whether a company exists, check digits) belong to the
// version's package. Tests validate whole exchanges with package wiretest.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/jsontext"
)

// Contract is a compiled OpenAPI document. It is safe for concurrent use.
type Contract struct {
	text       []byte
	strict     document
	version    string
	operations []Operation // sorted by pattern, then method
}

// Load compiles an OpenAPI 3.1 document with its rules, which are OpenAPI Overlays. The
// document is what clients read; the rules say what tools that generate clients cannot
// read: which members depend on each other, and how each error is reported. An error
// means that a text is broken, that the rules do not fit the document, or that the
// document uses a security scheme that this server does not know. The caller must not
// change the texts afterwards.
func Load(text []byte, rules ...[]byte) (*Contract, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	doc := document{root}
	for _, overlay := range rules {
		if doc, err = doc.apply(overlay); err != nil {
			return nil, fmt.Errorf("OpenAPI document: %w", err)
		}
	}
	c := &Contract{text: text, strict: doc, version: doc.text("/info/version")}
	if c.version == "" {
		return nil, errors.New("OpenAPI document: no info.version")
	}
	s, err := newSchemas(doc.root)
	if err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	if c.operations, err = readOperations(doc, s); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	return c, nil
}

// Version is the version that the document describes, its info.version.
func (c *Contract) Version() string { return c.version }

// Text is the document. The caller must not change it.
func (c *Contract) Text() []byte { return c.text }

// Strict is the document with its rules. Requests are validated with it.
func (c *Contract) Strict() ([]byte, error) { return jsontext.Marshal(c.strict.root) }

// Operations returns every operation of the document, sorted by pattern and
// method.
func (c *Contract) Operations() []Operation { return slices.Clone(c.operations) }

// Operation returns the operation with an operationId, or nil if there is none.
func (c *Contract) Operation(id string) *Operation {
	for i := range c.operations {
		if c.operations[i].ID == id {
			return &c.operations[i]
		}
	}
	return nil
}
