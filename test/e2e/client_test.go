package e2e

import (
	"testing"

	"samla/test/harness"
)

// client calls the API of one node with one credential.
type client struct {
	harness.Client
	w *env
}

// atNode returns the same client for another node.
func (c client) atNode(base string) client {
	c.Base = base
	return c
}

// session returns a client with a new session of a user.
func (c client) session(t *testing.T, user string) client {
	t.Helper()
	c.Client = c.Session(t, user)
	return c
}
