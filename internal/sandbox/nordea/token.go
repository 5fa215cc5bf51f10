package nordea

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/sandbox/nordea/grant"
)

// tokenAnswer is BearerToken of Nordea's file.
type tokenAnswer struct {
	Access  string `json:"access_token"`
	Expires int    `json:"expires_in,omitempty"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token,omitempty"`
}

func (c *call) decoupledToken() (response, *apiError) {
	form, f := c.form("code", "grant_type", "refresh_token")
	if f != nil {
		return response{}, f
	}
	return c.token(grant.Decoupled, form)
}

func (c *call) redirectToken() (response, *apiError) {
	form, f := c.form("code", "grant_type", "redirect_uri", "refresh_token")
	if f != nil {
		return response{}, f
	}
	return c.token(grant.Redirect, form)
}

// token answers both token endpoints.
func (c *call) token(flow grant.Flow, form url.Values) (response, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch form.Get("grant_type") {
	case "authorization_code":
		if form.Has("refresh_token") {
			return response{}, invalid("refresh_token", "Unknown", "A code is exchanged without a refresh token.")
		}
		return c.exchange(flow, form)
	case "refresh_token":
		if form.Has("code") || form.Has("redirect_uri") {
			return response{}, invalid("code", "Unknown", "A refresh has no code and no redirect address.")
		}
		return c.refresh(flow, form.Get("refresh_token"))
	}
	return response{}, invalid("grant_type", "Enum", "The grant type is missing or unknown.")
}

func (c *call) exchange(flow grant.Flow, form url.Values) (response, *apiError) {
	code := form.Get("code")
	g := c.grants[c.codes[code]]
	if !c.mine(g, flow) || g.Redirect != form.Get("redirect_uri") {
		return response{}, fault(grant.ErrCode)
	}
	access, refresh, err := c.newTokens()
	if err != nil {
		return response{}, serverError()
	}
	return c.tokens(g, grant.Exchange{Code: code, Access: access, Refresh: refresh, Life: c.AccessLife}, access, refresh)
}

func (c *call) refresh(flow grant.Flow, token string) (response, *apiError) {
	g := c.grants[c.byToken[token]]
	if !c.mine(g, flow) {
		return response{}, fault(grant.ErrToken)
	}
	access, refresh, err := c.newTokens()
	if err != nil {
		return response{}, serverError()
	}
	if c.Rotation == KeepRefreshToken {
		refresh = ""
	}
	a, f := c.tokens(g, grant.Renew{Refresh: token, NewAccess: access, NewRefresh: refresh, Life: c.AccessLife, Grace: c.RotationGrace}, access, refresh)
	if f != nil {
		return a, f
	}
	c.stats.Refreshes++
	body := a.body.(tokenAnswer)
	switch {
	case c.ShortRefresh && refresh == "":
		body.Expires, body.Refresh = 0, ""
	case c.ShortRefresh:
		body.Expires = 0 // a rotated token must be told
	case refresh == "":
		body.Refresh = token
	}
	a.body = body
	return a, nil
}

// mine reports whether a grant is one of the calling application, of this root and flow.
func (c *call) mine(g *grant.Grant, flow grant.Flow) bool {
	return g != nil && g.App == c.app.ID && g.Root == c.root && g.Flow == flow
}

func (b *Bank) newTokens() (access, refresh string, err error) {
	access, err = b.newSecret("access")
	if err == nil {
		refresh, err = b.newSecret("refresh")
	}
	return access, refresh, err
}

// tokens applies an event that makes tokens, and returns them. The caller holds mu.
func (c *call) tokens(g *grant.Grant, e grant.Event, access, refresh string) (response, *apiError) {
	now := c.Clock.Now()
	next, err := g.Apply(e, now)
	if err != nil {
		return response{}, fault(err)
	}
	if err := c.save(entry{Grant: &next}); err != nil {
		return response{}, serverError()
	}
	until := next.Access[len(next.Access)-1].Until
	return response{http.StatusOK, nil, tokenAnswer{access, int(until.Sub(now) / time.Second), "Bearer", refresh}}, nil
}

// revokeToken revokes a token. An unknown one counts as revoked (RFC 7009 2.2).
func (c *call) revokeToken() (response, *apiError) {
	var q struct {
		Token string `json:"token"`
	}
	if f := c.decode(&q); f != nil {
		return response{}, f
	}
	if q.Token == "" {
		return response{}, invalid("token", "NotNull", "The token is missing.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.grants[c.byToken[q.Token]]
	if g == nil || g.App != c.app.ID {
		return response{status: http.StatusOK}, nil
	}
	next, err := g.Apply(grant.RevokeToken{Value: q.Token}, c.Clock.Now())
	if err != nil && !errors.Is(err, grant.ErrToken) {
		return response{}, serverError()
	}
	if err == nil {
		if err := c.save(entry{Grant: &next}); err != nil {
			return response{}, serverError()
		}
		c.stats.Revocations++
	}
	return response{status: http.StatusOK}, nil
}

// bearer returns a copy of the grant of the access token of the request, if it has all of
// these scopes.
func (c *call) bearer(scopes ...string) (grant.Grant, *apiError) {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return grant.Grant{}, unauthorized(codeToken, "The access token is missing.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.grants[c.byToken[token]]
	if g == nil || g.App != c.app.ID || g.Root != c.root {
		return grant.Grant{}, fault(grant.ErrToken)
	}
	if err := g.Reads(token, c.Clock.Now()); err != nil {
		return grant.Grant{}, fault(err)
	}
	for _, s := range scopes {
		if !g.Allows(s) {
			return grant.Grant{}, denied("The access token does not cover this resource.")
		}
	}
	return *g, nil
}
