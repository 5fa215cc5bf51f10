package api

import (
	"net/http"
	"testing"

	"samla/test/harness"
)

// client calls the API with one credential.
type client struct{ harness.Client }

// with returns a client that also sends a header; an empty value takes it away.
func (c client) with(name, value string) client { return client{c.With(name, value)} }

// get and post send what is expected to succeed, with 200 and with 201, and
// decode the answer into out, unless that is nil.
func (c client) get(t *testing.T, path string, out any) harness.Answer {
	t.Helper()
	return c.Do(t, http.MethodGet, path, nil).Is(t, http.StatusOK, out)
}

func (c client) post(t *testing.T, path string, body, out any) harness.Answer {
	t.Helper()
	return c.Do(t, http.MethodPost, path, body).Is(t, http.StatusCreated, out)
}

// userObject is a user, as a client would declare it.
type userObject struct {
	UserUUID   string  `json:"userUuid"`
	ExternalID *string `json:"externalId"`
	Anonymized bool    `json:"anonymized"`
}

// newUser makes a user.
func (c client) newUser(t *testing.T) userObject {
	t.Helper()
	id, external := c.User(t)
	return userObject{UserUUID: id, ExternalID: &external}
}

// session makes a client that speaks for a user.
func (c client) session(t *testing.T, u userObject) client {
	t.Helper()
	return client{c.Session(t, u.UserUUID)}
}

// person makes a user and a session of it.
func (c client) person(t *testing.T) (userObject, client) {
	t.Helper()
	u := c.newUser(t)
	return u, c.session(t, u)
}
