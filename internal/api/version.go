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
	unknown *route // answers a path that no version has
}

// versionOf returns the version that a request names, or "" for none. Of several it is the
// first.
func versionOf(r *http.Request) string {
	for _, name := range r.Header[wire.VersionHeader] {
		if name != "" {
			return name
		}
	}
	return ""
}

// routes returns the mux that routes a request, and the route of what it does not know.
// The header selects the version (docs/reference/api.md 1.2); without one, or with an
// empty one, it is the lowest that has the route. A request for an unsupported version is
// routed in the highest, so that the routes can refuse it.
func (h *Handler) routes(r *http.Request) (mux *http.ServeMux, unknown *route) {
	name := versionOf(r)
	if name == "" {
		return h.lowest, h.versions[0].unknown
	}
	v := h.versions[len(h.versions)-1]
	if i := slices.IndexFunc(h.versions, func(v *served) bool { return v.name == name }); i >= 0 {
		v = h.versions[i]
	}
	return v.mux, v.unknown
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

// versioned is an operation that a version serves.
type versioned struct {
	operation
	by *served
}

// serve makes the routes of each version, and those of requests that name none. all has
// the operations of each version, those of no version among them.
func (h *Handler) serve(row *Mount, all [][]operation) {
	lowest := make([]versioned, 0, len(all[0]))
	for i, operations := range all {
		v := h.versions[i]
		own := make([]versioned, len(operations))
		for i, op := range operations {
			own[i] = versioned{op, v}
		}
		v.unknown = h.refuse(v, row, "/", fault.New(fault.NotFound))
		v.mux = h.mux(row, own, v.unknown)
		for _, op := range own {
			if !slices.ContainsFunc(lowest, func(l versioned) bool { return l.Method == op.Method && shape(l.Pattern) == shape(op.Pattern) }) {
				lowest = append(lowest, op)
			}
		}
	}
	h.lowest = h.mux(row, lowest, h.versions[0].unknown)
	for i, v := range h.versions {
		h.refuseOthers(v, row, all[i], lowest)
	}
}

// mux returns the routes of operations.
func (h *Handler) mux(row *Mount, operations []versioned, unknown *route) *http.ServeMux {
	mux := http.NewServeMux()
	first := map[string]versioned{} // of each path
	for _, op := range operations {
		mux.Handle(op.Route(), (&route{h: h, version: op.by, operation: op.operation}).observed())
		if _, ok := first[shape(op.Pattern)]; !ok {
			first[shape(op.Pattern)] = op
		}
	}
	for path, f := range otherMethods(operations) {
		mux.Handle(first[path].Pattern, h.refuse(first[path].by, row, first[path].Pattern, f))
	}
	mux.Handle("/", unknown)
	return mux
}

// refuseOthers makes routes of a version for the paths that only others have, which are
// answered with what to do about it.
func (h *Handler) refuseOthers(v *served, row *Mount, own []operation, all []versioned) {
	known := map[string]bool{}
	for _, op := range own {
		known[shape(op.Pattern)] = true
	}
	for _, op := range all {
		if path := shape(op.Pattern); !known[path] {
			known[path] = true
			f := fault.New(fault.NotFound)
			f.Remedy = "Send the header " + wire.VersionHeader + ": " + op.by.name + ", the lowest version that has this path."
			other := h.refuse(v, row, op.Pattern, f)
			other.Versioned = true // an unsupported version is refused as such
			v.mux.Handle(op.Pattern, other)
		}
	}
}

// shape returns a pattern without the names of its variables: two versions may name
// them differently.
func shape(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// refuse returns a route that answers every request with a fault.
func (h *Handler) refuse(s *served, row *Mount, pattern string, f *fault.Fault) *route {
	serve := func(*Call) error { return f }
	rt := &route{h: h, version: s, operation: newOperation(&wire.Operation{Pattern: pattern}, Endpoint{Serve: serve}, row)}
	return rt.observed()
}

// otherMethods returns the MethodNotAllowed fault of each path.
func otherMethods(operations []versioned) map[string]*fault.Fault {
	allow := map[string][]string{}
	for _, op := range operations {
		path := shape(op.Pattern)
		allow[path] = append(allow[path], op.Method)
		if op.Method == http.MethodGet {
			allow[path] = append(allow[path], http.MethodHead)
		}
	}
	faults := map[string]*fault.Fault{}
	for path, methods := range allow {
		slices.Sort(methods)
		f := fault.New(fault.MethodNotAllowed)
		f.Allow = strings.Join(methods, ", ")
		faults[path] = f
	}
	return faults
}
