package e2e

import (
	"testing"

	"samla/test/harness"
)

// client calls the API of one node with one credential.
type client struct {
	harness.Client
	w *world
}

// on is the same client at another node.
func (c client) on(base string) client {
	c.Base = base
	return c
}

// session makes a client that speaks for a user.
func (c client) session(t *testing.T, user string) client {
	t.Helper()
	c.Client = c.Session(t, user)
	return c
}
