package v20260401

import (
	"context"

	"samla/internal/api"
	"samla/internal/idempotency"
	"samla/internal/jsontext"
	"samla/internal/permissions"
)

// permissionLinkBody is a link to My permissions on the wire (docs/reference/api.md 3.7).
type permissionLinkBody struct {
	URL       string `json:"url"`
	ExpiresAt string `json:"expiresAt"`
}

// createPermissionLink answers without Location: no operation reads a link.
func (o *operations) createPermissionLink(c *api.Call) error {
	var r struct {
		Language string `json:"language"`
	}
	body, err := c.Decode(&r)
	if err != nil {
		return err
	}
	return c.Create(body, func(ctx context.Context, respond api.Respond) error {
		_, err := o.Visits.CreateLink(ctx, c.Caller().ClientID, c.ID(), r.Language, func(ctx context.Context, l permissions.NewLink) (*idempotency.Record, error) {
			body, err := jsontext.Marshal(permissionLinkBody{l.URL, jsontext.Time(l.OpenBy)})
			if err != nil {
				return nil, err
			}
			return respond(ctx, "", l.UserID, body)
		})
		return err
	})
}
