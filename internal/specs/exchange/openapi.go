package exchange

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Compile reads an OpenAPI 3 definition, changes it (nil: nothing), and returns what finds
// its operations, whatever the servers that it names.
func Compile(definition []byte, change func(*openapi3.T), options ...openapi3.ValidationOption) (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(definition)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if change != nil {
		change(doc)
	}
	return Router(doc, options...)
}

// Router is Compile for a definition that has been read and changed.
func Router(doc *openapi3.T, options ...openapi3.ValidationOption) (routers.Router, error) {
	doc.Servers = openapi3.Servers{{URL: "/"}}
	if err := doc.Validate(context.Background(), options...); err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("router: %w", err)
	}
	return router, nil
}

// Input returns a request under the path that the definition knows, with this body. Errors
// wrap ErrOutside: it is not an operation of the definition.
func Input(router routers.Router, r *http.Request, path string, body []byte) (*openapi3filter.RequestValidationInput, error) {
	c := r.Clone(r.Context())
	c.URL.Path, c.URL.RawPath, c.Body = path, "", http.NoBody
	if len(body) > 0 {
		c.Body = io.NopCloser(bytes.NewReader(body))
	}
	route, params, err := router.FindRoute(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrOutside, r.Method, err)
	}
	return &openapi3filter.RequestValidationInput{
		Request: c, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}, nil
}

// CheckAnswer returns an error if the answer to a request breaks the definition; a status
// that it does not have is one.
func CheckAnswer(ctx context.Context, to *openapi3filter.RequestValidationInput, status int, header http.Header, body []byte) error {
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: to, Status: status, Header: header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if len(body) > 0 {
		answer.Body = io.NopCloser(bytes.NewReader(body))
	}
	return openapi3filter.ValidateResponse(ctx, answer)
}
