package api

import (
	"net/http"
	"slices"
	"strings"

	"samla/internal/fault"
	"samla/internal/wire"
)

// served is a version with its routes.
type served struct {
	name    string
	header  []string // name, as a header value
	mux     *http.ServeMux
	unknown *route // answers a path without an operation
}

// version returns the version that a request selects (docs/reference/api.md 1.2): the
// lowest if it has no header, or an empty one. A request for an unsupported version is
// routed in the highest, so that the routes can refuse it.
func (h *Handler) version(r *http.Request) *served {
	for _, name := range r.Header[wire.VersionHeader] {
		if name == "" {
			continue
		}
		for _, v := range h.versions {
			if v.name == name {
				return v
			}
		}
		return h.versions[len(h.versions)-1]
	}
	return h.versions[0]
}

// checkVersion returns UnsupportedVersion if the request names another version than
// the one that it is routed in.
func (c *Call) checkVersion() error {
	if !c.route.Versioned {
		return nil
	}
	for _, name := range c.r.Header[wire.VersionHeader] {
		if name != "" && name != c.route.version.name {
			f := fault.New(fault.UnsupportedVersion)
			f.SupportedVersions = c.route.h.names
			return f
		}
	}
	c.w.Header()[wire.VersionHeader] = c.route.version.header
	return nil
}

// serve makes the routes of a version.
func (h *Handler) serve(name string, row *Mount, operations []operation) *served {
	s := &served{name: name, header: []string{name}, mux: http.NewServeMux()}
	for _, op := range operations {
		s.mux.Handle(op.Route(), &route{h: h, version: s, operation: op})
	}
	for pattern, f := range otherMethods(operations) {
		s.mux.Handle(pattern, h.refuse(s, row, pattern, f))
	}
	s.unknown = h.refuse(s, row, "/", fault.New(fault.NotFound))
	s.mux.Handle("/", s.unknown)
	return s
}

// refuse returns a route that answers every request with a fault.
func (h *Handler) refuse(s *served, row *Mount, pattern string, f *fault.Fault) *route {
	serve := func(*Call) error { return f }
	return &route{h: h, version: s, operation: operation{&wire.Operation{Pattern: pattern}, Endpoint{Serve: serve}, row}}
}

// otherMethods returns the MethodNotAllowed fault of each pattern.
func otherMethods(operations []operation) map[string]*fault.Fault {
	allow := map[string][]string{}
	for _, op := range operations {
		allow[op.Pattern] = append(allow[op.Pattern], op.Method)
		if op.Method == http.MethodGet {
			allow[op.Pattern] = append(allow[op.Pattern], http.MethodHead)
		}
	}
	faults := map[string]*fault.Fault{}
	for pattern, methods := range allow {
		slices.Sort(methods)
		f := fault.New(fault.MethodNotAllowed)
		f.Allow = strings.Join(methods, ", ")
		faults[pattern] = f
	}
	return faults
}
