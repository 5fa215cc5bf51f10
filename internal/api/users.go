package api

import (
	"context"
	"encoding/json"

	"samla/internal/authn"
	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/user"
)

// userBody is a user on the wire (docs/reference/api.md 3.1).
type userBody struct {
	UserUUID   string  `json:"userUuid"`
	ExternalID *string `json:"externalId"`
	Anonymized bool    `json:"anonymized"`
	CreatedAt  string  `json:"createdAt"`
	UpdatedAt  string  `json:"updatedAt"`
}

func userOf(u user.User) userBody {
	body := userBody{UserUUID: u.ID, Anonymized: u.Anonymized(),
		CreatedAt: jsontext.Time(u.CreatedAt), UpdatedAt: jsontext.Time(u.UpdatedAt)}
	if !u.Anonymized() {
		body.ExternalID = &u.ExternalID
	}
	return body
}

func (h *Handler) createUser(c *call) error {
	raw, f := c.route.op.ReadBody(c.r)
	if f != nil {
		return f
	}
	var ask struct {
		ExternalID string `json:"externalId"`
	}
	if err := json.Unmarshal(raw, &ask); err != nil {
		return err
	}
	return c.idempotent(raw, func(ctx context.Context, claim *dedupe.Claim) (dedupe.Response, error) {
		var resp dedupe.Response
		_, err := h.Users.Create(ctx, c.who.ClientID, ask.ExternalID, func(ctx context.Context, u user.User) (*idempotency.Record, error) {
			body, err := marshal(userOf(u))
			if err != nil {
				return nil, err
			}
			resp = created("/users/"+u.ID, u.ID, body)
			return claim.Prepare(ctx, resp)
		})
		return resp, err
	})
}

func (h *Handler) findUser(c *call) error {
	q, f := c.query()
	if f != nil {
		return f
	}
	u, err := h.Users.ByExternalID(c.ctx(), c.who.ClientID, q.Get("externalId"))
	if err != nil {
		return err
	}
	return c.writeJSON(userOf(u))
}

func (h *Handler) getUser(c *call) error {
	id, err := c.pathID("userUuid", fault.UserNotFound)
	if err != nil {
		return err
	}
	if c.who.Kind == authn.Session && c.who.UserID != id {
		return fault.New(fault.UserNotFound)
	}
	u, err := h.Users.ByID(c.ctx(), c.who.ClientID, id)
	if err != nil {
		return err
	}
	return c.writeJSON(userOf(u))
}

func (h *Handler) deleteUser(c *call) error {
	id, err := c.pathID("userUuid", fault.UserNotFound)
	if err != nil {
		return err
	}
	if err := h.Users.Erase(c.ctx(), c.who.ClientID, id); err != nil {
		return err
	}
	return c.nothing()
}
