package bench

import (
	"context"
	"fmt"

	"samla/internal/apiclient"
)

// newUser creates a user and a session of it.
func newUser(ctx context.Context, client *apiclient.Client, externalID string) (user apiclient.User, token string, err error) {
	if user, err = client.CreateUser(ctx, externalID); err == nil {
		token, err = client.CreateSession(ctx, user.ID)
	}
	return user, token, err
}

// newSessions creates users and returns a session token of each.
func newSessions(ctx context.Context, client *apiclient.Client, n int) ([]string, error) {
	tokens := make([]string, n)
	return tokens, parallel(n, func(i int) (err error) {
		_, tokens[i], err = newUser(ctx, client, fmt.Sprintf("login-%d", i))
		return err
	})
}
