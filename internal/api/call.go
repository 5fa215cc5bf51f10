package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/authn"
	"samla/internal/fault"
)

// Call is one request in the pipeline, and its answer.
type Call struct {
	route   *route
	w       http.ResponseWriter
	r       *http.Request
	id      string // request id (docs/reference/api.md 1.4)
	caller  authn.Identity
	rewrite func([]byte) ([]byte, error)
	status  int   // of the answer; 0: nothing is written
	cause   error // of an internal error, for the log

	mediaType []string // of the answer; nil: JSON

	incomplete bool // the client did not read the whole answer
}

// Context returns the context of the request.
func (c *Call) Context() context.Context { return c.r.Context() }

// Caller returns whose credential the request has.
func (c *Call) Caller() authn.Identity { return c.caller }

// Version returns the version that the request names, or "" for none. An endpoint of a
// version does not need it.
func (c *Call) Version() string { return versionOf(c.r) }

// RoutedIn returns the version whose operation answers the request: that of the header, or
// without one the version that the route was found in (docs/reference/api.md 1.2).
func (c *Call) RoutedIn() string { return c.route.version.name }

// OperationID returns the operationId of the request's operation in the contract.
func (c *Call) OperationID() string { return c.route.ID }

// Accepts reports whether the client names a media type among those that it accepts (RFC
// 9110 12.5.1). Weights and ranges do not count.
func (c *Call) Accepts(mediaType string) bool {
	for _, list := range c.r.Header["Accept"] {
		for part := range strings.SplitSeq(list, ",") {
			name, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), mediaType) {
				return true
			}
		}
	}
	return false
}

// Header returns the header of the answer.
func (c *Call) Header() http.Header { return c.w.Header() }

// ID returns the id in the path, which has the form of our ids (Endpoint.NotFound).
func (c *Call) ID() string { return c.r.PathValue(c.route.variable) }

// checkID returns the fault NotFound of the endpoint for a text in the path that is not an
// id of ours: it cannot be found, and neither the body nor the store is read.
func (c *Call) checkID() error {
	if missing := c.route.endpoint.NotFound; missing != "" && !IsID(c.ID()) {
		return fault.New(missing)
	}
	return nil
}

// Body returns the valid request body, or the fault of wire.Operation.ReadBody. With
// InvalidParameter it returns the body too, for further checks.
func (c *Call) Body() ([]byte, *fault.Fault) { return c.route.ReadBody(c.r) }

// Decode reads the valid request body into the value at to, and returns the body, for
// Create. A body that may be absent and is leaves the value as it is.
func (c *Call) Decode(to any) ([]byte, error) {
	body, f := c.Body()
	if f != nil {
		return nil, f
	}
	if body == nil {
		return nil, nil
	}
	return body, json.Unmarshal(body, to)
}

// Query returns the query parameters, valid by the contract.
func (c *Call) Query() (url.Values, error) {
	q, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil { // net/url would ignore the part that it cannot parse
		return nil, fault.Param("?"+unreadable(c.r.URL.RawQuery), fault.Invalid, "cannot be read: it is not percent-encoded")
	}
	if f := c.route.CheckQuery(q); f != nil {
		return nil, f
	}
	return q, nil
}

// unreadable returns the name of the first parameter of a query that cannot be parsed,
// or "" if its name cannot be parsed either.
func unreadable(query string) string {
	for part := range strings.SplitSeq(query, "&") {
		values, err := url.ParseQuery(part)
		if err == nil {
			continue
		}
		escaped, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(escaped); err == nil && len(values) == 0 {
			return name
		}
		return ""
	}
	return ""
}

// Rewrite makes f convert the body of a 2xx answer before it is written. An older
// version converts the answers of a newer one.
func (c *Call) Rewrite(f func(body []byte) ([]byte, error)) { c.rewrite = f }

// LogCause sets the error that the access log gives as the reason of the answer.
func (c *Call) LogCause(err error) { c.cause = err }
