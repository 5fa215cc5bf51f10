package api

import (
	"net/http"
	"strconv"
	"time"

	"samla/internal/session"
)

var jwksCache = []string{"public, max-age=" + strconv.Itoa(int(session.JWKSMaxAge/time.Second))}

// jwks answers with the public keys that verify sessions (docs/reference/api.md 1.3).
func (h *Handler) jwks(c *call) error {
	keys, err := h.Authn.JWKS(c.ctx())
	if err != nil {
		return err
	}
	c.w.Header()["Cache-Control"] = jwksCache
	return c.write(http.StatusOK, keys)
}

// document answers with the contract itself. It changes with the server's
// version only, but a cache must not outlive an upgrade.
func (h *Handler) document(c *call) error {
	c.w.Header().Set("Cache-Control", "no-cache")
	return c.write(http.StatusOK, h.Contract.Text())
}
