package api

import (
	"bytes"
	"context"
	"encoding/json"

	"samla/internal/dedupe"
	"samla/internal/fault"
)

// idempotent calls run at most once for the request's Idempotency-Key
// (docs/reference/api.md 1.7) and writes the response. An error of run is not
// stored: nothing was created, and a repeat calls run again.
func (c *call) idempotent(body []byte, run func(context.Context, *dedupe.Claim) (dedupe.Response, error)) error {
	key := ""
	if keys, given := c.r.Header["Idempotency-Key"]; given {
		if len(keys) != 1 || keys[0] == "" {
			return fault.Param("", fault.Invalid, "the header Idempotency-Key must be given once, with 1 to 255 printable ASCII characters")
		}
		key = keys[0]
	}
	var compact bytes.Buffer // white space in JSON does not make another request
	if err := json.Compact(&compact, body); err != nil {
		compact.Write(body)
	}
	resp, replayed, err := c.route.h.Requests.Run(c.ctx(), dedupe.Request{ClientID: c.who.ClientID, UserID: c.who.UserID,
		Key: key, Route: c.r.Method + " " + c.r.URL.EscapedPath(), Body: compact.Bytes()}, run)
	if err != nil {
		return err
	}
	return c.respond(resp, replayed)
}

// created is the response to a request that created a resource. userID is the
// user that it is about, or empty.
func created(location, userID string, body []byte) dedupe.Response {
	return dedupe.Response{Status: 201, Location: location, UserID: userID, ContentType: jsonType[0], Body: body}
}
