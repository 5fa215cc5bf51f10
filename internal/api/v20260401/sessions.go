package v20260401

import (
	"context"

	"samla/internal/api"
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

// createSession answers without Location: no operation reads a session.
func (o *operations) createSession(c *api.Call) error {
	return c.Create(nil, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Users.CreateSession(ctx, c.Caller().ClientID, c.ID(), func(ctx context.Context, s users.Session) (*idempotency.Record, error) {
			body, err := jsontext.Marshal(sessionBody{s.Token, jsontext.Time(s.ExpiresAt), s.UserID})
			if err != nil {
				return nil, err
			}
			return respond(ctx, "", s.UserID, body)
		})
		return err
	})
}
