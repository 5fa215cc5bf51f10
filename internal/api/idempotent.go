package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"samla/internal/dedupe"
	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/wire"
)

// Respond takes the answer to a request that created a resource: its Location, or
// empty; the user that it is about, or empty; its body. It returns the record that the
// transaction of the resource has to store with it, or nil.
type Respond func(ctx context.Context, location, userID string, body []byte) (*idempotency.Record, error)

// Create calls create at most once for the request's Idempotency-Key and body
// (docs/reference/api.md 1.7), if the operation declares that header, and answers 201 with what it passed to respond. If create
// returns an error, nothing is remembered: a repeated request calls it again.
func (c *Call) Create(body []byte, create func(ctx context.Context, respond Respond) error) error {
	return c.Once(http.StatusCreated, body, create)
}

// Once is Create for an operation that answers with another status.
func (c *Call) Once(status int, body []byte, create func(ctx context.Context, respond Respond) error) error {
	key := ""
	if keys, given := c.r.Header[wire.IdempotencyHeader]; given && c.route.Idempotent {
		if len(keys) != 1 || keys[0] == "" {
			return fault.Param("@"+wire.IdempotencyHeader, fault.Invalid, "must be given once, with 1 to 255 printable ASCII characters")
		}
		key = keys[0]
	}
	var compact bytes.Buffer // white space in JSON does not make another request
	if err := json.Compact(&compact, body); err != nil {
		compact.Write(body)
	}
	run := func(ctx context.Context, claim *dedupe.Claim) (resp dedupe.Response, err error) {
		err = create(ctx, func(ctx context.Context, location, userID string, body []byte) (*idempotency.Record, error) {
			resp = dedupe.Response{Status: status, Location: location, UserID: userID, ContentType: jsonType[0], Body: body}
			return claim.Prepare(ctx, resp)
		})
		return resp, err
	}
	resp, replayed, err := c.route.h.Requests.Run(c.Context(), dedupe.Request{ClientID: c.caller.ClientID, UserID: c.caller.UserID,
		Key: key, Route: c.r.Method + " " + c.r.URL.EscapedPath(), Body: compact.Bytes()}, run)
	if err != nil {
		return err
	}
	if resp.Location != "" {
		c.Header()["Location"] = []string{resp.Location}
	}
	if replayed {
		c.Header()["Idempotency-Replayed"] = []string{"true"}
	}
	return c.Write(resp.Status, resp.Body)
}
