package ebspec

import (
	_ "embed"
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

// ErrOutside is wrapped by the error about a request that is not an operation of the API.
var ErrOutside = exchange.ErrOutside

// Oracle validates the exchanges below one base path. It is safe for concurrent use.
type Oracle struct {
	base   string // path before "/application"
	judges []judge
}

// judge is one document.
type judge struct {
	name   string
	router routers.Router
}

// New returns an oracle for the API at baseURL, such as
// "https://127.0.0.1:8443/enablebanking"; only its path matters. Without the official
// file, the test's log says that only our document judges.
func New(tb testing.TB, baseURL string) *Oracle {
	tb.Helper()
	u, err := url.Parse(baseURL)
	if err != nil {
		tb.Fatalf("ebspec: base URL: %v", err)
	}
	own, err := ours()
	if err != nil {
		tb.Fatal(err)
	}
	o := &Oracle{base: strings.TrimSuffix(u.Path, "/"), judges: []judge{{"document.json", own}}}
	theirs, err := official()
	switch {
	case specs.Optional(err):
		tb.Logf("the official file does not judge: %v", err)
	case err != nil:
		tb.Fatal(err)
	default:
		o.judges = append(o.judges, judge{"the official file", theirs})
	}
	return o
}

//go:embed document.json
var document []byte

var ours = sync.OnceValues(func() (routers.Router, error) { return compile(document) })

var official = sync.OnceValues(func() (routers.Router, error) {
	file, err := specs.Load(specs.EnableBanking)
	if err != nil {
		return nil, err
	}
	return compile(file)
})

func compile(file []byte) (routers.Router, error) {
	router, err := exchange.Compile(file, nil, openapi3.DisableExamplesValidation())
	if err != nil {
		return nil, fmt.Errorf("ebspec: %w", err)
	}
	return router, nil
}

// Covers reports whether the path is that of an operation, or of something below one.
// The pages that the person sees are not.
func (o *Oracle) Covers(path string) bool {
	rest, ok := strings.CutPrefix(path, o.base+"/")
	if !ok {
		return false
	}
	first, _, _ := strings.Cut(rest, "/")
	switch first {
	case "application", "aspsps", "auth", "sessions", "accounts":
		return true
	}
	return false
}

// CheckRequest returns an error if the request, sent with this body, breaks a document
// or a rule of docs/reference/families.md 11.1. The request's own body is not read.
func (o *Oracle) CheckRequest(r *http.Request, body []byte) error {
	for _, j := range o.judges {
		input, err := o.input(j, r, body)
		if err != nil {
			return err
		}
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			return fmt.Errorf("ebspec: request %s %s: %s: %w", r.Method, input.Route.Path, j.name, err)
		}
		if err := requestRules(r, input.Route.Path, body); err != nil {
			return fmt.Errorf("ebspec: request %s %s: %w", r.Method, input.Route.Path, err)
		}
	}
	return nil
}

// CheckResponse does the same for the answer to r.
func (o *Oracle) CheckResponse(r *http.Request, status int, header http.Header, body []byte) error {
	for _, j := range o.judges {
		input, err := o.input(j, r, nil)
		if err != nil {
			return err
		}
		if err := exchange.CheckAnswer(r.Context(), input, status, header, body); err != nil {
			return fmt.Errorf("ebspec: answer %d to %s %s: %s: %w", status, r.Method, input.Route.Path, j.name, err)
		}
		if err := responseRules(status, body); err != nil {
			return fmt.Errorf("ebspec: answer %d to %s %s: %w", status, r.Method, input.Route.Path, err)
		}
	}
	return nil
}

// Transport validates what passes through next (exchange.Transport).
func (o *Oracle) Transport(next http.RoundTripper, report func(error)) http.RoundTripper {
	return exchange.Transport(o, next, report)
}

// Handler validates the exchanges of next (exchange.Handler).
func (o *Oracle) Handler(next http.Handler, report func(error)) http.Handler {
	return exchange.Handler(o, next, report)
}

// input returns a copy of the request with the base path removed, as the documents know
// it.
func (o *Oracle) input(j judge, r *http.Request, body []byte) (*openapi3filter.RequestValidationInput, error) {
	if !o.Covers(r.URL.Path) {
		return nil, fmt.Errorf("%w: %s outside the base path", ErrOutside, r.Method)
	}
	return exchange.Input(j.router, r, strings.TrimPrefix(r.URL.Path, o.base), body)
}
