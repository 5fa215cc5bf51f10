// Package nordeaspec validates requests and answers against Nordea's own OpenAPI
// files. The connector and the sandbox bank share no code; the tests of both put this
// package between them, so that a mistake about the protocol is found on the side that
// made it.
//
// The files are read from the folder of package specs. Where they are missing, an
// Oracle passes everything and the test says so in its log.
//
// Only tests import this package. Source: docs/reference/families.md 3 and 14.1.
package nordeaspec

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"

	"samla/internal/specs"
	"samla/internal/specs/exchange"
)

// ErrOutside is wrapped by the error for a request that is not an operation of Nordea's
// files.
var ErrOutside = exchange.ErrOutside

// Oracle validates the exchanges with one bank. It is safe for concurrent use.
type Oracle struct {
	base        string                   // path before "/personal" and "/business"
	definitions map[string][]*definition // by "/personal" and "/business"; nil where the files are missing
}

// New returns an oracle for the bank at baseURL, such as
// "https://127.0.0.1:8443/se-demo-nordea"; only its path matters. The operations are
// found under baseURL + "/personal/v5/..." and baseURL + "/business/v5/...". The test
// fails when a file cannot be used, or is missing and required (package specs).
func New(tb testing.TB, baseURL string, e Edition) *Oracle {
	tb.Helper()
	u, err := url.Parse(baseURL)
	if err != nil {
		tb.Fatalf("nordeaspec: base URL: %v", err)
	}
	o := &Oracle{base: strings.TrimSuffix(u.Path, "/"), definitions: map[string][]*definition{}}
	for root, files := range map[string][]specs.File{"/personal": personalFiles, "/business": businessFiles} {
		for _, f := range files {
			d, err := load(f, e)
			switch {
			case specs.Optional(err):
				tb.Logf("exchanges with the bank are not validated: %v", err)
				o.definitions = nil
				return o
			case err != nil:
				tb.Fatal(err)
			}
			o.definitions[root] = append(o.definitions[root], d)
		}
	}
	return o
}

// Covers reports whether the path is below one of the bank's two roots.
func (o *Oracle) Covers(path string) bool {
	root, _ := o.split(path)
	return root != ""
}

// split returns "/personal" or "/business" and the path below it, or two empty texts.
func (o *Oracle) split(path string) (root, rest string) {
	below, ok := strings.CutPrefix(path, o.base)
	if !ok {
		return "", ""
	}
	for _, root := range []string{"/personal", "/business"} {
		if rest, ok := strings.CutPrefix(below, root); ok && strings.HasPrefix(rest, "/v") {
			return root, rest
		}
	}
	return "", ""
}

// CheckRequest returns an error when the request, sent with this body, breaks the files
// or the rules of docs/reference/families.md 3.2 and 3.3. The request's own body is not
// read. The signature's value is not verified, because the key is not known.
func (o *Oracle) CheckRequest(r *http.Request, body []byte) error {
	if o.definitions == nil {
		return nil
	}
	input, _, err := o.input(r, body)
	if err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return fmt.Errorf("nordeaspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	if err := checkHeaders(r, input.Route.Path, body); err != nil {
		return fmt.Errorf("nordeaspec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	return nil
}

// CheckResponse does the same for the answer to r.
func (o *Oracle) CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	if o.definitions == nil {
		return nil
	}
	input, d, err := o.input(r, nil)
	if err != nil {
		return err
	}
	if err := exchange.CheckAnswer(r.Context(), input, status, header, body); err != nil {
		return fmt.Errorf("nordeaspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	_, path := o.split(r.URL.Path)
	if err := checkAnswer(input.Route.Path, path, status, header, body); err != nil {
		return fmt.Errorf("nordeaspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	if err := checkAccounts(d.account, status, body); err != nil {
		return fmt.Errorf("nordeaspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	return nil
}

// Transport validates every exchange that passes through next, as exchange.Transport.
func (o *Oracle) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return exchange.Transport(o, next, report)
}

// Handler validates every answer of next and the requests that it accepts, as
// exchange.Handler.
func (o *Oracle) Handler(next http.Handler, report func(error)) http.Handler {
	return exchange.Handler(o, next, report)
}

// input returns a copy of the request with the root removed, as the files know it, and the
// file that has the operation.
func (o *Oracle) input(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, *definition, error) {
	root, rest := o.split(r.URL.Path)
	if root == "" {
		return nil, nil, fmt.Errorf("%w: %s outside the base path", ErrOutside, r.Method)
	}
	err := fmt.Errorf("%w: %s", ErrOutside, r.Method)
	for _, d := range o.definitions[root] {
		var input *openapi3filter.RequestValidationInput
		if input, err = exchange.Input(d.router, r, rest, body); err == nil {
			return input, d, nil
		}
	}
	return nil, nil, err
}
