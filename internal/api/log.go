package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// finish ends a call: it answers a panic and writes the access log. The log
// names the pattern of the route and never the path or the query, whose values
// are the caller's.
func (c *call) finish(started time.Time) {
	if p := recover(); p != nil {
		c.recovered(p)
	}
	h := c.route.h
	level := slog.LevelDebug
	switch {
	case c.status >= http.StatusInternalServerError && c.cause != nil && !errors.Is(c.cause, context.Canceled):
		level = slog.LevelError
	case c.r.Method != http.MethodGet:
		level = slog.LevelInfo
	}
	if !h.Log.Enabled(c.ctx(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.method()), slog.String("route", c.route.op.Pattern), slog.Int("status", c.status),
		slog.Duration("took", h.Clock.Now().Sub(started)), slog.String("request", c.id),
	}
	if c.who.ClientID != "" {
		attrs = append(attrs, slog.String("client", c.who.ClientID))
	}
	if c.cause != nil {
		attrs = append(attrs, slog.Any("error", c.cause))
	}
	h.Log.LogAttrs(c.ctx(), level, "answered", attrs...)
}

// method is the request's method, as long as it is one of HTTP's: any word may
// be sent as a method.
func (c *call) method() string {
	switch m := c.r.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return "other"
}
