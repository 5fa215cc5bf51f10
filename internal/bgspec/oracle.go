// Package bgspec validates requests and answers against the Berlin Group's
// NextGenPSD2 definition 1.3.12. The connector and the sandbox bank share no
// code; the tests of both put this package between them, so that a mistake about
// the standard is found on the side that made it.
//
// The definition is read from the folder of package specs. Where it is missing,
// an Oracle passes everything and the test says so in its log.
//
// Only tests import this package. Source: docs/reference/banks.md 10.
package bgspec

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"samla/internal/specs"
	"samla/internal/specs/exchange"
)

// ErrOutside is wrapped by the error for a request that is not an operation of the
// standard.
var ErrOutside = exchange.ErrOutside

// Oracle validates the exchanges below one base path. It is safe for concurrent
// use.
type Oracle struct {
	base   string         // path before that of the operations
	at     []string       // where the operations are, below base, in place of "/v1"
	router routers.Router // nil where the definition is missing: everything passes
}

// New returns an oracle for the bank at baseURL, such as
// "https://127.0.0.1:8443/se-demo-psd2"; only its path matters. The bank's
// operations are found under baseURL + "/v1/...". The test fails when the
// definition cannot be used, or is missing and required (package specs).
func New(tb testing.TB, baseURL string) *Oracle {
	tb.Helper()
	u, err := url.Parse(baseURL)
	if err != nil {
		tb.Fatalf("bgspec: base URL: %v", err)
	}
	router, err := load()
	switch {
	case specs.Optional(err):
		tb.Logf("exchanges with the bank are not validated: %v", err)
	case err != nil:
		tb.Fatal(err)
	}
	return &Oracle{base: strings.TrimSuffix(u.Path, "/"), at: []string{standardPath}, router: router}
}

// standardPath is what the paths of the definition begin with.
const standardPath = "/v1"

// Under returns an oracle for a bank whose operations are below these paths in place of
// "/v1", such as "/psd2/v3".
func (o *Oracle) Under(paths ...string) *Oracle {
	moved := *o
	moved.at = paths
	return &moved
}

// standard returns a path as the definition has it, and reports whether the bank has
// operations there.
func (o *Oracle) standard(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, o.base)
	for _, at := range o.at {
		if operation, found := strings.CutPrefix(rest, at+"/"); ok && found {
			return standardPath + "/" + operation, true
		}
	}
	return "", false
}

// load reads the definition once: it is half a megabyte and always the same.
var load = sync.OnceValues(func() (routers.Router, error) {
	definition, err := specs.Load(specs.BerlinGroup13)
	if err != nil {
		return nil, err
	}
	router, err := exchange.Compile(definition, withoutOneOf, openapi3.DisableExamplesValidation())
	if err != nil {
		return nil, fmt.Errorf("bgspec: %w", err)
	}
	return router, nil
})

// withoutOneOf changes members that overlap, so that every realistic body matches several of
// them and oneOf refuses it (trap 1).
func withoutOneOf(doc *openapi3.T) {
	const authorisations = "/v1/consents/{consentId}/authorisations"
	post := doc.Paths.Value(authorisations).Post
	put := doc.Paths.Value(authorisations + "/{authorisationId}").Put
	for _, content := range []openapi3.Content{
		post.RequestBody.Value.Content, put.RequestBody.Value.Content, put.Responses.Status(200).Value.Content,
	} {
		schema := content.Get("application/json").Schema.Value
		schema.AnyOf, schema.OneOf = schema.OneOf, nil
	}
}

// Covers reports whether the path is below the oracle's base path.
func (o *Oracle) Covers(path string) bool {
	_, ok := o.standard(path)
	return ok
}

// CheckRequest returns an error when the request, sent with this body, breaks
// the definition or the stricter rules of docs/reference/banks.md 10. The
// request's own body is not read.
func (o *Oracle) CheckRequest(r *http.Request, body []byte) error {
	if o.router == nil {
		return nil
	}
	input, err := o.input(r, body)
	if err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return fmt.Errorf("bgspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	if err := checkHeaders(r.Header); err != nil {
		return fmt.Errorf("bgspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	if err := checkAuthorisationBody(input.Route, r, body); err != nil {
		return fmt.Errorf("bgspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	if err := checkValues(body); err != nil {
		return fmt.Errorf("bgspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	return nil
}

// CheckResponse does the same for the answer to r.
func (o *Oracle) CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	if o.router == nil {
		return nil
	}
	input, err := o.input(r, nil)
	if err != nil {
		return err
	}
	if err := exchange.CheckAnswer(r.Context(), input, status, header, body); err != nil {
		return fmt.Errorf("bgspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	if status < 300 && header.Get("X-Request-ID") != r.Header.Get("X-Request-ID") {
		return fmt.Errorf("bgspec: answer %d to %s %s: X-Request-ID is not echoed", status, r.Method, input.Route.Path)
	}
	if err := checkValues(body); err != nil {
		return fmt.Errorf("bgspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	return nil
}

// input returns a copy of the request with the base path removed, as the
// definition knows it.
func (o *Oracle) input(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	path, ok := o.standard(r.URL.Path)
	if !ok {
		return nil, fmt.Errorf("%w: %s outside the base path", ErrOutside, r.Method)
	}
	return exchange.Input(o.router, r, path, body)
}
