package api

import (
	"net/http"
	"testing"

	"samla/test/harness"
)

// client calls the API with one credential.
type client struct{ harness.Client }

// with returns a client that also sends a header; an empty value removes the header.
func (c client) with(name, value string) client { return client{c.With(name, value)} }

// get and post send requests that must succeed with 200 and 201. They decode the response
// into out, unless out is nil.
func (c client) get(t *testing.T, path string, out any) harness.Response {
	t.Helper()
	return c.Do(t, http.MethodGet, path, nil).WantStatus(t, http.StatusOK, out)
}

func (c client) post(t *testing.T, path string, body, out any) harness.Response {
	t.Helper()
	return c.Do(t, http.MethodPost, path, body).WantStatus(t, http.StatusCreated, out)
}

// userObject is a user of the API.
type userObject struct {
	UserUUID   string  `json:"userUuid"`
	ExternalID *string `json:"externalId"`
	Anonymized bool    `json:"anonymized"`
}

// newUser creates a user.
func (c client) newUser(t *testing.T) userObject {
	t.Helper()
	id, external := c.User(t)
	return userObject{UserUUID: id, ExternalID: &external}
}

// session returns a client with a new session of a user.
func (c client) session(t *testing.T, u userObject) client {
	t.Helper()
	return client{c.Session(t, u.UserUUID)}
}

// person creates a user and a session.
func (c client) person(t *testing.T) (userObject, client) {
	t.Helper()
	u := c.newUser(t)
	return u, c.session(t, u)
}
