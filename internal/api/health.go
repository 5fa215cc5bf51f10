package api

import (
	"context"
	"net/http"
	"time"
)

// pingTime is how long the database may take to answer.
const pingTime = 2 * time.Second

// healthz tells that the process lives.
func (h *Handler) healthz(c *call) error {
	return c.write(http.StatusOK, []byte(`{"status":"ok"}`))
}

// readyz tells whether requests can be answered: the database is there.
func (h *Handler) readyz(c *call) error {
	ctx, cancel := context.WithTimeout(c.ctx(), pingTime)
	defer cancel()
	if err := h.Store.Ping(ctx); err != nil {
		c.cause = err
		return c.write(http.StatusServiceUnavailable, []byte(`{"status":"unavailable","checks":{"store":"failed"}}`))
	}
	return c.write(http.StatusOK, []byte(`{"status":"ok","checks":{"store":"ok"}}`))
}
