package api

import (
	"bytes"
	"context"
	"encoding/json"

	"samla/internal/access"
	"samla/internal/fault"
)

// once runs the making of something at most once for the request's
// Idempotency-Key (docs/reference/api.md 1.7) and answers with what it made. An error is
// remembered by nobody: nothing was made, and the same request finds the same.
func (c *call) once(body []byte, run func(context.Context, *access.Claim) (access.Response, error)) error {
	key := ""
	if keys, given := c.r.Header["Idempotency-Key"]; given {
		if len(keys) != 1 || keys[0] == "" {
			return fault.Param("", fault.Invalid, "the header Idempotency-Key must be given once, with 1 to 255 printable ASCII characters")
		}
		key = keys[0]
	}
	var same bytes.Buffer // a client that writes its JSON anew asks the same
	if err := json.Compact(&same, body); err != nil {
		same.Write(body)
	}
	resp, replayed, err := c.route.h.Once.Do(c.ctx(), c.who, key, c.r.Method+" "+c.r.URL.EscapedPath(), same.Bytes(), run)
	if err != nil {
		return err
	}
	return c.respond(resp, replayed)
}

// created is the answer to a request that made something for a user, if for
// anybody.
func created(location, userID string, body []byte) access.Response {
	return access.Response{Status: 201, Location: location, UserID: userID, ContentType: jsonType[0], Body: body}
}
