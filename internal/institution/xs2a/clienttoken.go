package xs2a

import (
	"context"
	"errors"
	"net/http"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
)

// A client token is one that we get for ourselves, for requests without a token of the
// person: some banks let nobody in without one (docs/reference/families.md 2.6, Bankdata).
// It says nothing about a person or a consent, so it is kept in memory.

const (
	clientTokenAge    = time.Hour   // the longest time that one is used
	clientTokenMargin = time.Minute // before its end
)

// usesClientToken reports whether a request carries a client token.
func (b *Bank) usesClientToken(c call) bool {
	return c.token == "" && b.server != nil && b.server.ClientToken
}

// withClientToken sends a request with a client token. If the bank refuses one that has been
// used before, the request is sent once more with a new one: nothing was done with it.
func (b *Bank) withClientToken(ctx context.Context, c call) (response, error) {
	for {
		had, used := b.server.clientTokens.Peek("")
		if used && !had.Until.IsZero() && !b.clock.Now().Before(had.Until.Add(-clientTokenMargin)) {
			b.server.clientTokens.Drop("")
			used = false
		}
		tokens, err := b.server.clientTokens.Get(ctx, "", func(ctx context.Context) (oauth.Tokens, error) {
			at, err := b.server.endpoints(ctx, "")
			if err != nil {
				return oauth.Tokens{}, err
			}
			return b.server.request(ctx, b, at.token, "", oauth.ClientGrant(b.server.ClientScope))
		})
		if err != nil {
			return response{}, notSent(err)
		}
		c.clientToken = tokens.Access.Reveal()
		resp, err := b.send(ctx, c)
		var refused *institution.Error
		if !used || !errors.As(err, &refused) || !isAboutToken(refused.HTTPStatus, refused.Code) {
			return resp, err
		}
		b.server.clientTokens.Drop("")
	}
}

// isAboutToken reports whether a refusal is about a bearer token.
func isAboutToken(status int, code string) bool {
	return tokenCodes[code] || status == http.StatusUnauthorized && code == ""
}
