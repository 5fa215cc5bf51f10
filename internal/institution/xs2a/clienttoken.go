package xs2a

import (
	"context"
	"errors"
	"net/http"

	"samla/internal/institution"
	"samla/internal/institution/oauth"
)

// A client token is one that we get for ourselves, for requests without a token of the
// person: some banks let nobody in without one (docs/reference/families.md 2.6, Bankdata).

// usesClientToken reports whether a request carries a client token.
func (b *Bank) usesClientToken(c call) bool {
	return c.token == "" && b.server != nil && b.server.ClientToken
}

// withClientToken sends a request with a client token.
func (b *Bank) withClientToken(ctx context.Context, c call) (resp response, err error) {
	get := func(ctx context.Context) (oauth.Tokens, error) {
		at, err := b.server.endpoints(ctx, "")
		if err != nil {
			return oauth.Tokens{}, err
		}
		return b.server.request(ctx, b, at.token, "", oauth.ClientGrant(b.server.ClientScope))
	}
	err = b.server.clientToken.Use(ctx, get, func(token oauth.Secret) (bool, error) {
		c.clientToken = token.Reveal()
		resp, err = b.send(ctx, c)
		var refused *institution.Error
		return errors.As(err, &refused) && refused.Kind != institution.Unreachable && isAboutToken(refused.HTTPStatus, refused.Code), err
	})
	return resp, err
}

// isAboutToken reports whether a refusal is about a bearer token. A bank that is down or busy
// has said nothing of it, whatever the code.
func isAboutToken(status int, code string) bool {
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return false
	}
	return tokenCodes[code] || status == http.StatusUnauthorized && code == ""
}
