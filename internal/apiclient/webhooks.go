package apiclient

import (
	"context"
	"net/http"
	"net/url"
)

// WebhookEndpoint is an endpoint that was just created.
type WebhookEndpoint struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// CreateWebhookEndpoint registers a receiver. events are the types that it gets; none: the
// server's default.
func (c *Client) CreateWebhookEndpoint(ctx context.Context, url string, events []string) (e WebhookEndpoint, err error) {
	in := map[string]any{"url": url}
	if len(events) > 0 {
		in["events"] = events
	}
	return e, c.do(ctx, http.MethodPost, "/webhook-endpoints", "", in, &e)
}

// DeleteWebhookEndpoint removes a receiver.
func (c *Client) DeleteWebhookEndpoint(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/webhook-endpoints/"+url.PathEscape(id), "", nil, nil)
}

// PauseWebhookEndpoint pauses a receiver, or resumes it.
func (c *Client) PauseWebhookEndpoint(ctx context.Context, id string, paused bool) error {
	what := "/resume"
	if paused {
		what = "/pause"
	}
	return c.do(ctx, http.MethodPost, "/webhook-endpoints/"+url.PathEscape(id)+what, "", nil, nil)
}
