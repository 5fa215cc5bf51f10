package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"samla/internal/authn"
	"samla/internal/collect"
	"samla/internal/fault"
	"samla/internal/wire"
)

// route answers one operation: it takes a request through the checks that all
// have in common, in this order: panics, request id, version, credential, rate.
type route struct {
	h          *Handler
	op         *wire.Operation
	end        endpoint
	checksUser bool // the endpoint finds out itself whether a session's user is gone
}

// call is one request on its way through a route.
type call struct {
	route *route
	w     http.ResponseWriter
	r     *http.Request
	id    string // request id (docs/reference/api.md 1.4)
	who   authn.Identity
	// status is what was answered, 0 until then.
	status int
	cause  error // what lies behind an internal error
}

// ServeHTTP implements http.Handler.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := rt.h.Clock.Now()
	c := call{route: rt, w: w, r: r}
	defer c.finish(started)
	c.identifyRequest()
	if err := c.run(); err != nil {
		c.problem(err)
	}
}

func (c *call) run() error {
	if f := c.version(); f != nil {
		return f
	}
	if c.route.op.Credential != wire.None {
		if f := c.admit(); f != nil {
			return f
		}
	}
	err := c.route.end(c)
	if err != nil && c.route.checksUser && fault.CodeOf(err) != fault.Internal {
		// What is not found may be so because the user is gone (docs/reference/api.md 3.4).
		if f := c.route.h.Authn.CheckUser(c.ctx(), c.who); f != nil {
			return f
		}
	}
	return err
}

func (c *call) ctx() context.Context { return c.r.Context() }

// identifyRequest takes over the caller's request id, or makes one.
func (c *call) identifyRequest() {
	h := c.w.Header()
	if ids := c.r.Header["X-Request-Id"]; len(ids) > 0 && isRequestID(ids[0]) {
		c.id = ids[0]
		h["X-Request-Id"] = ids[:1:1]
	} else {
		c.id = c.route.h.IDs.New()
		h["X-Request-Id"] = []string{c.id}
	}
	if c.route.op.ID == "" {
		h["Insurely-Version"] = c.route.h.versions // of what is not there, too
	}
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
}

func isRequestID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// version checks the header Insurely-Version (docs/reference/api.md 1.2). An empty one counts
// as missing, and a missing one as the lowest version served, which is the only
// one.
func (c *call) version() *fault.Fault {
	if !c.route.op.Versioned {
		return nil
	}
	for _, v := range c.r.Header["Insurely-Version"] {
		if v != "" && v != c.route.h.versions[0] {
			f := fault.New(fault.UnsupportedVersion)
			f.SupportedVersions = c.route.h.versions
			return f
		}
	}
	c.w.Header()["Insurely-Version"] = c.route.h.versions
	return nil
}

// admit lets a caller in who has the right kind of credential and is not too
// fast (docs/reference/api.md 1.3, 1.9).
func (c *call) admit() (f *fault.Fault) {
	h := c.route.h
	if c.who, f = h.Authn.Authenticate(c.r); f != nil {
		return f
	}
	kind := wire.APIKey
	if c.who.Kind == authn.Session {
		kind = wire.Session
	}
	allowed := c.route.op.Credential.Has(kind)
	if f := h.limiter.take(c.w.Header(), c.who.ClientID, h.Clock.Now()); f != nil {
		return f
	}
	if !allowed || !c.route.checksUser {
		if f := h.Authn.CheckUser(c.ctx(), c.who); f != nil {
			return f
		}
	}
	if !allowed {
		return fault.New(fault.Forbidden)
	}
	return nil
}

// owner is whose collections the caller may see (docs/reference/api.md 5.2).
func (c *call) owner() collect.Owner {
	return collect.Owner{ClientID: c.who.ClientID, UserID: c.who.UserID}
}

// pathID reads an id of the path. Text that cannot be an id is answered as one
// that is not there, without asking the store.
func (c *call) pathID(name string, missing fault.Code) (string, error) {
	id := c.r.PathValue(name)
	if !isID(id) {
		return "", fault.New(missing)
	}
	return id, nil
}

// isID tells whether s has the form of an id of ours (RFC 9562, lower case).
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		default:
			return false
		}
	}
	return true
}

// recovered turns a panic into an internal error. When the answer is under way
// already the connection is broken off, which is all that can still be told.
func (c *call) recovered(p any) {
	if p == http.ErrAbortHandler {
		panic(p)
	}
	// The value of a panic may hold anything; only the runtime's own are known
	// to hold nothing of the request.
	said := fmt.Sprintf("%T", p)
	if err, ok := p.(runtime.Error); ok {
		said = err.Error()
	}
	c.cause = errors.New("panic: " + said)
	c.route.h.Log.Error("a request panicked", "route", c.route.op.Pattern, "request", c.id,
		"panic", said, "stack", string(debug.Stack()))
	if c.status != 0 {
		panic(http.ErrAbortHandler)
	}
	c.problem(fault.Wrap(c.cause))
}
