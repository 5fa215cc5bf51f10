package api

import (
	"context"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/jsontext"
)

// sessionBody is a session on the wire (docs/reference/api.md 3.1).
type sessionBody struct {
	Token     string `json:"token"`
	ExpiresAt string `json:"expiresAt"`
	UserUUID  string `json:"userUuid"`
}

// createSession makes a session. It has no Location: there is no route that
// reads a session again.
func (h *Handler) createSession(c *call) error {
	id, err := c.pathID("userUuid", fault.UserNotFound)
	if err != nil {
		return err
	}
	return c.idempotent(nil, func(ctx context.Context, _ *dedupe.Claim) (dedupe.Response, error) {
		t, err := h.Users.CreateSession(ctx, c.who.ClientID, id)
		if err != nil {
			return dedupe.Response{}, err
		}
		body, err := marshal(sessionBody{t.Token, jsontext.Time(t.ExpiresAt), t.UserID})
		return created("", t.UserID, body), err
	})
}
