package v20260401

import (
	"context"

	"samla/internal/api"
	"samla/internal/authn"
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

func (o *operations) createUser(c *api.Call) error {
	var r struct {
		ExternalID string `json:"externalId"`
	}
	body, err := c.Decode(&r)
	if err != nil {
		return err
	}
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Users.Create(ctx, c.Caller().ClientID, r.ExternalID, func(ctx context.Context, u user.User) (*idempotency.Record, error) {
			body, err := jsontext.Marshal(userOf(u))
			if err != nil {
				return nil, err
			}
			return respond(ctx, "/users/"+u.ID, u.ID, body)
		})
		return err
	})
}

func (o *operations) findUser(c *api.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	u, err := o.Users.ByExternalID(c.Context(), c.Caller().ClientID, q.Get("externalId"))
	if err != nil {
		return err
	}
	return c.WriteJSON(userOf(u))
}

// user returns the user in the path, who may be anonymized. Fault: UserNotFound.
func (o *operations) user(c *api.Call) (user.User, error) {
	return o.Users.ByID(c.Context(), c.Caller().ClientID, c.ID())
}

func (o *operations) getUser(c *api.Call) error {
	if c.Caller().Kind == authn.Session && c.Caller().UserID != c.ID() {
		return fault.New(fault.UserNotFound)
	}
	u, err := o.user(c)
	if err != nil {
		return err
	}
	return c.WriteJSON(userOf(u))
}

func (o *operations) deleteUser(c *api.Call) error {
	if err := o.Users.Erase(c.Context(), c.Caller().ClientID, c.ID()); err != nil {
		return err
	}
	return c.WriteNothing()
}
