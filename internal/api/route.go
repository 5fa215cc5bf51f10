package api

import (
	"context"
	"net/http"

	"samla/internal/authn"
	"samla/internal/fault"
	"samla/internal/wire"
)

// route answers one operation, or refuses what no operation answers: its ID is empty
// then.
type route struct {
	h       *Handler
	version *served
	operation
	observer RequestObserver // may be nil
	named    Route           // for observers and traces
}

// observed returns the route with its observer.
func (rt *route) observed() *route {
	r := Route{Method: rt.Method, Pattern: rt.Pattern, Version: rt.version.name}
	if rt.ID == "" {
		r.Method = otherMethod
	} else if !rt.Versioned {
		r.Version = "none"
	}
	if rt.named = r; rt.h.Observe != nil {
		rt.observer = rt.h.Observe(r)
	}
	return rt
}

// ServeHTTP takes a request through the steps of the pipeline.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := rt.h.Clock.Now()
	c := Call{route: rt, w: w, r: r}
	defer c.finish(started)
	if rt.h.Trace != nil {
		ctx, end := rt.h.Trace(r, rt.named)
		defer func() { end(c.status) }()
		r = r.WithContext(ctx)
		c.r = r
	}
	c.setHeaders()
	if limit := rt.h.RequestTimeout; limit > 0 && !rt.endpoint.OwnTimeout {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		c.r = r.WithContext(ctx)
	}
	if err := c.run(); err != nil {
		c.problem(err)
	}
}

// run checks the version, the credential, the rate limit and the id in the path, and serves
// the endpoint.
func (c *Call) run() error {
	if err := c.checkVersion(); err != nil {
		return err
	}
	if c.route.Credential != wire.None {
		if err := c.authorize(); err != nil {
			return err
		}
	}
	err := c.checkID()
	if err == nil {
		err = c.route.endpoint.Serve(c)
	}
	if err != nil && c.route.endpoint.LateUserCheck && fault.CodeOf(err) != fault.Internal {
		// Nothing may be found because the user is gone (docs/reference/api.md 3.4).
		if f := c.route.h.Authn.CheckUser(c.Context(), c.caller); f != nil {
			return f
		}
	}
	return err
}

// authorize authenticates the caller, counts the request, and refuses a credential of
// the wrong kind, or from the wrong place (docs/reference/api.md 1.3, 1.9).
func (c *Call) authorize() error {
	h := c.route.h
	var f *fault.Fault
	if c.caller, f = h.Authn.Authenticate(c.r); f != nil {
		if f.Code == fault.Unauthorized {
			if slow := h.limiter.guessed(c.r.RemoteAddr, h.Clock.Now()); slow != nil {
				return slow
			}
		}
		return f
	}
	kind := wire.APIKey
	if c.caller.Kind == authn.Session {
		kind = wire.Session
	}
	allowed := c.route.Credential.Has(kind)
	if f := h.limiter.take(c.w.Header(), c.caller, h.Clock.Now()); f != nil {
		return f
	}
	if kind == wire.APIKey && fromPage(c.r) {
		return fault.Detailed(fault.Forbidden, "an API key is not accepted from a web page")
	}
	if !allowed || !c.route.endpoint.LateUserCheck {
		if f := h.Authn.CheckUser(c.Context(), c.caller); f != nil {
			return f
		}
	}
	if !allowed {
		return fault.New(fault.Forbidden)
	}
	return nil
}
