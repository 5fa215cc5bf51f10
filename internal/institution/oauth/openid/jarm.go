package openid

import (
	"context"
	"net/url"

	"samla/internal/institution/oauth"
)

// Open returns the callback that a signed answer holds (JARM: JWT Secured Authorization
// Response Mode 2.4), whose Outcome was Enclosed. The caller checks it like any other.
// Errors: as of IDToken.
func (v *Verifier) Open(ctx context.Context, response oauth.Secret) (oauth.Callback, error) {
	c, err := v.open(ctx, "response", response)
	if err != nil {
		return oauth.Callback{}, err
	}
	members := url.Values{}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "id_token"} {
		if _, ok := c[name]; ok {
			members.Set(name, c.text(name))
		}
	}
	return oauth.CallbackOf(members), nil
}
