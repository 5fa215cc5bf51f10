package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// finish ends a call: it answers a panic and writes the access log. The log has the
// pattern of the route, not the path or the query: these have values of the caller.
func (c *Call) finish(started time.Time) {
	if p := recover(); p != nil {
		c.recovered(p)
	}
	h := c.route.h
	now := h.Clock.Now()
	took := now.Sub(started)
	if h.Used != nil && c.caller.ClientID != "" {
		h.Used(c.caller.ClientID, c.caller.KeyID, c.route.named.Version, c.Version() != "", now)
	}
	if c.route.observer != nil {
		c.route.observer.Observe(c.status, took)
	}
	level := slog.LevelDebug
	switch {
	case c.status >= http.StatusInternalServerError && c.cause != nil && !errors.Is(c.cause, context.Canceled):
		level = slog.LevelError
	case c.r.Method != http.MethodGet:
		level = slog.LevelInfo
	}
	if !h.Log.Enabled(c.Context(), level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.method()), slog.String("route", c.route.Pattern), slog.Int("status", c.status),
		slog.Duration("took", took), slog.String("request", c.id),
	}
	if c.caller.ClientID != "" {
		attrs = append(attrs, slog.String("client", c.caller.ClientID))
	}
	if c.incomplete {
		attrs = append(attrs, slog.Bool("incomplete", true))
	}
	if c.cause != nil {
		attrs = append(attrs, slog.Any("error", c.cause))
	}
	h.Log.LogAttrs(c.Context(), level, "answered", attrs...)
}

// method returns the request's method if HTTP defines it: a client can send any word.
func (c *Call) method() string {
	switch m := c.r.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return m
	}
	return otherMethod
}

// otherMethod stands for every method that no operation has.
const otherMethod = "other"
