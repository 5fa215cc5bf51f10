// Package wire owns the HTTP contract: the OpenAPI document, embedded and
// compiled once, the checks of requests that follow from it, and the one place
// where a fault becomes a problem document (docs/reference/api.md 1.6).
//
// Package api walks the operations to mount its routes, hands each request body
// and query to its Operation, and writes every error with WriteProblem. What needs
// knowledge of the business (does the company exist, is the check digit right) is
// not checked here. Tests validate whole exchanges with package wiretest.
package wire

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed openapi.json
var document []byte

// Version is the version of the API that the document describes, the value of
// the header Insurely-Version (docs/reference/api.md 1.2).
const Version = "2026-04-01"

// Document returns the OpenAPI document as it is served. The caller must not
// change it.
func Document() []byte { return document }

// Contract is the compiled document. It is safe for concurrent use.
type Contract struct {
	operations []Operation // sorted by pattern, then method
	byID       map[string]*Operation
	byRoute    map[string]*Operation
	router     *http.ServeMux
	tree       tree
}

// Load compiles the document. The work is done once a process, whatever the
// number of calls; an error means that the document is broken.
func Load() (*Contract, error) { return load() }

var load = sync.OnceValues(func() (*Contract, error) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(document)))
	if err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	c := &Contract{
		byID:    map[string]*Operation{},
		byRoute: map[string]*Operation{},
		router:  http.NewServeMux(),
		tree:    tree{doc},
	}
	schemas, err := newSchemas(doc)
	if err != nil {
		return nil, err
	}
	if err := c.readOperations(schemas); err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	return c, nil
})

// Operations lists every operation of the document, sorted by pattern and
// method.
func (c *Contract) Operations() []Operation { return slices.Clone(c.operations) }

// Operation returns the operation with the given operationId, nil when there is
// none.
func (c *Contract) Operation(id string) *Operation { return c.byID[id] }

// Find returns the operation that answers the method and path of r, nil when
// the document has none.
func (c *Contract) Find(r *http.Request) *Operation {
	_, pattern := c.router.Handler(r)
	return c.byRoute[pattern]
}
