// Package api takes requests through the steps that all operations have in common:
// routing by the header Insurely-Version, panics, request ids, credentials, rate
// limits, idempotency keys, paging, writing, the access log. It knows no operation.
//
// What a node serves is a list of Mounts (package server has it). A row holds the
// versions of the API, or the endpoints of one path that belong to no version. A
// version is a package below this one: its OpenAPI document, and an Endpoint for each
// operation of it. To add a version, write its package and add a Version to the row.
//
// An older version is written as a transformation of a newer one. Its endpoint reads
// its own parameters, sets Call.Rewrite, and calls the newer version's endpoint:
//
//	"getLoan": {Serve: func(c *api.Call) error {
//		c.Rewrite(toOlder)
//		return newer.Endpoints["getLoan"].Serve(c)
//	}}
package api

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"time"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/dedupe"
	"samla/internal/ratelimit"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Config is what a Handler works with. The members up to Log are
// required.
type Config struct {
	Authn    *authn.Authenticator
	Requests *dedupe.Requests
	Clock    clock.Clock
	IDs      *uuid7.Generator // makes request ids
	Log      *slog.Logger
	Rate     ratelimit.Rate // of requests, per client
	UserRate ratelimit.Rate // of requests with a session token, per user
	// AllowOrigins are the origins of web pages that may call the API with session
	// tokens, such as "https://app.example.com" (docs/reference/api.md 1.10).
	AllowOrigins []string
	// RequestTimeout is how long a request may work before it is answered with
	// SERVICE_UNAVAILABLE; 0 = no limit. It does not count the time to write the answer.
	// Endpoints with OwnTimeout have no limit but the store's own.
	RequestTimeout time.Duration
	// OutageOf returns why the store cannot serve, if an error says so, or "". Nil = no
	// error says so.
	OutageOf func(error) store.Outage
	// Observe is called once for each route when the handler is made, and returns what is
	// told of each request of the route. Nil = nothing is.
	Observe func(Route) RequestObserver
	// Used is called with each answered request of a client: its key ("" = a session), the
	// version that answered, and whether the request named it. It must return at once and be
	// safe for concurrent use. Nil = nothing is.
	Used func(clientID, keyID, version string, named bool, now time.Time)
	// Trace is called with each request, and returns the context to answer it in, and what
	// is called with the status of the answer. Nil = requests are not traced.
	Trace func(*http.Request, Route) (context.Context, func(status int))
}

// Route names a route for an observer. All members are from closed sets.
type Route struct {
	Method  string // "other" for what no operation answers
	Pattern string // of the contract, such as "/users/{userUuid}"; "/" for a path that nothing answers
	Version string // whose route it is; "none" for operations of no version
}

// RequestObserver is told of requests that were answered. Observe must return at once and
// be safe for concurrent use. Status is 0 if nothing was written.
type RequestObserver interface {
	Observe(status int, took time.Duration)
}

// Handler serves everything that is mounted. It is safe for concurrent use.
type Handler struct {
	Config
	limiter  limiter
	origins  origins
	versions []*served      // lowest first
	names    []string       // of versions
	lowest   *http.ServeMux // of requests without a version: each route in the lowest version that has it
}

// New returns a handler of what is mounted. An operation of a version that no endpoint
// answers is an error, and so is an endpoint without an operation.
func New(c Config, mounts []Mount) (*Handler, error) {
	h := &Handler{Config: c, limiter: newLimiter(c.Rate, c.UserRate, c.Clock)}
	var err error
	if h.origins, err = newOrigins(c.AllowOrigins); err != nil {
		return nil, err
	}
	row, versions, err := sortedVersions(mounts)
	if err != nil {
		return nil, err
	}
	common, err := commonOperations(mounts, versions)
	if err != nil {
		return nil, err
	}
	all := make([][]operation, len(versions))
	for i, v := range versions {
		own, err := operationsOf(v, row)
		if err != nil {
			return nil, err
		}
		// One mux has all routes that a request can take: a poll looks up one.
		all[i] = append(own, common...)
		name := v.Contract.Version()
		h.versions, h.names = append(h.versions, &served{name: name, header: []string{name}}), append(h.names, name)
	}
	h.serve(row, all)
	return h, nil
}

func (h *Handler) outage(err error) store.Outage {
	if h.OutageOf == nil {
		return ""
	}
	return h.OutageOf(err)
}

// ServeHTTP implements http.Handler. A path that is not in its clean form, such as
// "//users", is unknown, and so is "*"; http.ServeMux would answer them with a redirect
// in HTML, and with nothing.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.origins.handle(w, r) {
		return
	}
	mux, unknown := h.routes(r)
	sent := r.URL.RawPath // as it was sent; empty if it has no escapes
	if sent == "" {
		sent = r.URL.Path
	}
	if path.Clean(sent) != sent || r.RequestURI == "*" {
		unknown.ServeHTTP(w, r)
		return
	}
	mux.ServeHTTP(w, r)
}
