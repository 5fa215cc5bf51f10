package api

import (
	"context"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/users"
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
	return c.idempotent(nil, func(ctx context.Context, claim *dedupe.Claim) (dedupe.Response, error) {
		var resp dedupe.Response
		_, err := h.Users.CreateSession(ctx, c.who.ClientID, id, func(ctx context.Context, s users.Session) (*idempotency.Record, error) {
			body, err := marshal(sessionBody{s.Token, jsontext.Time(s.ExpiresAt), s.UserID})
			if err != nil {
				return nil, err
			}
			resp = created("", s.UserID, body)
			return claim.Prepare(ctx, resp)
		})
		return resp, err
	})
}
