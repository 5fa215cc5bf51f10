// Package loglimit passes on at most one log record for each cause and minute. During
// an outage every request and every job fails in the same way: the log must say so,
// and must not hide everything else.
package loglimit

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Interval is the time between two records of one cause.
const Interval = time.Minute

// maxCauses bounds the memory. When it is reached, the causes start over.
const maxCauses = 1000

// Handler limits the records of level Warn and above that have an attribute "error".
// Records have the same cause if they have the same message, company and error; digits
// do not count, because many errors contain ids and times. The first record of a cause
// is passed on; the next one after Interval says how many were not.
type Handler struct {
	next   slog.Handler
	causes *causes
}

type causes struct {
	mu   sync.Mutex
	seen map[string]*cause
}

type cause struct {
	since      time.Time
	suppressed int
}

// New returns a handler in front of next.
func New(next slog.Handler) *Handler {
	return &Handler{next, &causes{seen: map[string]*cause{}}}
}

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return h.next.Handle(ctx, r)
	}
	key, limited := keyOf(r)
	if !limited {
		return h.next.Handle(ctx, r)
	}
	pass, suppressed := h.causes.take(key, r.Time)
	if !pass {
		return nil
	}
	if suppressed > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("suppressed", suppressed))
	}
	return h.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.next.WithAttrs(attrs), h.causes}
}

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(name), h.causes}
}

// keyOf returns the key of the record's cause, and whether it has an error.
func keyOf(r slog.Record) (string, bool) {
	var company, failure string
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "company":
			company = a.Value.String()
		case "error":
			failure = a.Value.String()
		}
		return true
	})
	withoutDigits := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' { // also of hexadecimal ids
			return -1
		}
		return c
	}, failure)
	return r.Message + "\x00" + company + "\x00" + withoutDigits, failure != ""
}

// take reports whether a record of a cause is passed on at the time now, and how many
// were not since the last one.
func (c *causes) take(key string, now time.Time) (pass bool, suppressed int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.seen[key]
	switch {
	case !ok:
		if len(c.seen) >= maxCauses {
			clear(c.seen)
		}
		c.seen[key] = &cause{since: now}
		return true, 0
	case now.Sub(known.since) < Interval:
		known.suppressed++
		return false, 0
	}
	suppressed = known.suppressed
	*known = cause{since: now}
	return true, suppressed
}
