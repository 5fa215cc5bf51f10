// Package obiespec validates requests and answers against OBIE's Account and
// Transaction definitions 3.1.11 and 4.0. The connector and the sandbox bank share
// no code; the tests of both put this package between them, so that a mistake about
// the standard is found on the side that made it. It also holds the official
// examples.
//
// The definitions are read from the folder of package specs. Where one is missing,
// an Oracle passes everything and the test says so in its log.
//
// Only tests import this package. Source: docs/reference/families.md 4, 14.1, 14.2.
package obiespec

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

// Version is one of the two definitions.
type Version struct {
	Base string // path of the resources below the bank's address, such as "/open-banking/v3.1/aisp"
	File specs.File
	load func() (routers.Router, error)
}

// The definitions (docs/reference/families.md 0, O1).
var (
	V31 = version("/open-banking/v3.1/aisp", "obie/account-info-openapi-3.1.11r5.json",
		"36afb5a9a76a79c74fe523e6a84ccfc002cf7f6b74f1c304ea22af27510c442f")
	V40 = version("/open-banking/v4.0/aisp", "obie/account-info-openapi-4.0-update-4.json",
		"09713f62a9105c9cde90927d0b7fd7dad0a49cfb6354bff78ef1bf5cfd2d6cd5")
)

func version(base, path, sum string) Version {
	v := Version{Base: base, File: specs.File{Path: path, SHA256: sum}}
	v.load = sync.OnceValues(func() (routers.Router, error) { return load(v.File) })
	return v
}

// Oracle validates the exchanges below one base path. It is safe for concurrent use.
type Oracle struct {
	base   string         // path with Version.Base
	router routers.Router // nil where the definition is missing: everything passes
}

// New returns an oracle for the bank at baseURL, such as
// "https://127.0.0.1:8443/se-demo-obie"; only its path matters. The resources are
// found under baseURL + v.Base. The test fails when the definition cannot be used,
// or is missing and required (package specs).
func New(tb testing.TB, v Version, baseURL string) *Oracle {
	tb.Helper()
	u, err := url.Parse(baseURL)
	if err != nil {
		tb.Fatalf("obiespec: base URL: %v", err)
	}
	router, err := v.load()
	switch {
	case specs.Optional(err):
		tb.Logf("exchanges with the bank are not validated: %v", err)
	case err != nil:
		tb.Fatal(err)
	}
	return &Oracle{base: strings.TrimSuffix(u.Path, "/") + v.Base, router: router}
}

func load(file specs.File) (routers.Router, error) {
	definition, err := specs.Load(file)
	if err != nil {
		return nil, err
	}
	router, err := exchange.Compile(definition, usable)
	if err != nil {
		return nil, fmt.Errorf("obiespec: %w", err)
	}
	return router, nil
}

// usable changes what cannot be used of the definitions.
func usable(doc *openapi3.T) {
	// Its pattern has a negative lookahead, which Go's regular expressions cannot.
	doc.Components.Parameters["x-idempotency-key"].Value.Schema.Value.Pattern = `^\S(.*\S)?$`
	// Its format demands a time zone, which the text of the standard forbids in a query
	// (read-write-data-api-profile, "Date Formats"). checkQuery takes both.
	for _, name := range []string{"FromBookingDateTimeParam", "ToBookingDateTimeParam", "FromStatementDateTimeParam", "ToStatementDateTimeParam"} {
		doc.Components.Parameters[name].Value.Schema.Value.Format = ""
	}
}

// Covers reports whether the path is below the oracle's base path.
func (o *Oracle) Covers(path string) bool { return strings.HasPrefix(path, o.base+"/") }

// Transport validates every request and answer that passes through next and calls
// report for each violation, as exchange.Transport.
func (o *Oracle) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return exchange.Transport(o, next, report)
}

// Handler validates every answer of next, and every request that next accepted, as
// exchange.Handler.
func (o *Oracle) Handler(next http.Handler, report func(error)) http.Handler {
	return exchange.Handler(o, next, report)
}

// CheckRequest returns an error when the request, sent with this body, breaks the
// definition or the stricter rules of this package. The request's own body is not
// read. The error wraps exchange.ErrOutside for an unknown operation.
func (o *Oracle) CheckRequest(r *http.Request, body []byte) error {
	if o.router == nil {
		return nil
	}
	input, err := o.input(r, body)
	if err != nil {
		return err
	}
	err = openapi3filter.ValidateRequest(r.Context(), input)
	if err == nil {
		err = checkHeaders(r.Header)
	}
	if err == nil {
		err = checkQuery(r.URL.Query())
	}
	if err == nil {
		err = checkValues(body)
	}
	if err != nil {
		return fmt.Errorf("obiespec: request %s %s: %w", r.Method, input.Route.Path, err)
	}
	return nil
}

// CheckResponse does the same for the answer to r. An answer must play back the
// x-fapi-interaction-id of the request (docs/reference/families.md 4.3).
func (o *Oracle) CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	if o.router == nil {
		return nil
	}
	input, err := o.input(r, nil)
	if err != nil {
		return err
	}
	err = exchange.CheckAnswer(r.Context(), input, status, header, body)
	if err == nil {
		err = checkInteraction(r.Header, header)
	}
	if err == nil {
		err = checkValues(body)
	}
	if err != nil {
		return fmt.Errorf("obiespec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
	}
	return nil
}

// input returns a copy of the request with the base path removed, as the definition
// knows it.
func (o *Oracle) input(r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	if !o.Covers(r.URL.Path) {
		return nil, fmt.Errorf("obiespec: %w: %s outside the base path", exchange.ErrOutside, r.Method)
	}
	return exchange.Input(o.router, r, strings.TrimPrefix(r.URL.Path, o.base), body)
}
