// Package oauth is what the connectors need of OAuth 2.0 as a client: the metadata of a
// server, PKCE, the address of an authorization request, the callback, and token requests
// with their errors (RFC 6749, 7636, 8414, 8705, 9207; docs/reference/families.md 2.3, 3,
// 4.2, 5). Package oauth/openid adds what OpenID Connect signs. Everything but Metadata and
// Client.Request is pure.
//
// The token requests are written here and not with golang.org/x/oauth2 (v0.37.0), because
// its errors and its repeats do not fit. Its errors show the bank's texts and answers. Where
// the client authentication is not set, it tries another one with the same code, which some
// servers consume at the first try. Its token source refreshes out of sight of the
// transaction that has to store a rotated token. It reads answers that are a form, and so
// the page of a gateway, and takes the time from the machine. It has no tls_client_auth and
// no private_key_jwt.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

const requestIDHeader = "X-Request-Id"

// maxTokenBody bounds the answer to a token request.
const maxTokenBody = 256 << 10

// Config describes our client at one token endpoint.
type Config struct {
	ID       string // client_id
	Auth     Auth   // how the client proves who it is
	Endpoint Endpoint
	Query    url.Values  // added to the address of each request, such as role=DEDICATED_AISP (N26)
	Form     url.Values  // added to the form of each request
	Header   http.Header // sent with each request, such as X-IBM-Client-Id (Nordea)
	Reading  Reading
	Clock    clock.Clock   // nil = the machine's
	NewID    func() string // of X-Request-ID; nil = none is sent
}

// Client makes token requests at one endpoint. It is safe for concurrent use.
type Client struct {
	config Config
}

// NewClient returns a client. Errors: the endpoint, the id or the authentication is
// missing.
func NewClient(c Config) (*Client, error) {
	if c.Endpoint.IsZero() || c.ID == "" || c.Auth == nil {
		return nil, errors.New("oauth: a client needs an endpoint, an id and an authentication")
	}
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	if c.Reading.Rejected == "" {
		c.Reading.Rejected = c.Auth.rejected()
	}
	return &Client{c}, nil
}

// Request sends a token request and returns the tokens. It sends it once: whoever repeats
// it has to know that a server may have consumed the code, or rotated the refresh token,
// although its answer was lost (Error.NotSent reports that it cannot have).
//
// Errors are *institution.Error:
//
//   - ConsentGone: the server answered a refresh with invalid_grant. Nothing else
//     means that the consent has ended.
//   - SCARequired: the authorization code is wrong, used or too old; the person has to
//     start again.
//   - CertificateRejected: the server does not accept our client or its proof.
//   - Refused: it does not accept the request.
//   - Unreachable, Busy: no answer, 5xx, 429, or an answer that is no JSON.
//   - Preparing, PersonRefused: decoupled only (authorization_pending, access_denied).
//   - MalformedResponse: a success without a usable token.
func (o *Client) Request(ctx context.Context, g Grant) (Tokens, error) {
	now := o.config.Clock.Now()
	form := g.form()
	maps.Copy(form, o.config.Form)
	maps.Copy(form, g.Form)
	answer, err := o.send(ctx, form, g.Header, now)
	if err != nil {
		return Tokens{}, err
	}
	return answer.Tokens(g.Type, now, o.config.Reading)
}

// send sends a form with the proof of our client. Errors: as of Endpoint.do, and
// CertificateRejected for a proof that cannot be made.
func (o *Client) send(ctx context.Context, form url.Values, header http.Header, now time.Time) (Answer, error) {
	c := o.config
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	for _, more := range []http.Header{c.Header, header} {
		maps.Copy(h, more.Clone())
	}
	if c.NewID != nil {
		h.Set(requestIDHeader, c.NewID())
	}
	if err := c.Auth.prove(c, form, h, now); err != nil {
		return Answer{}, &institution.Error{Kind: institution.CertificateRejected, Reason: institution.NotSigned, NotSent: true, Cause: err}
	}
	// Encode sorts the names, as Nordea's digest wants them (docs/reference/families.md 3.3).
	resp, err := c.Endpoint.do(ctx, http.MethodPost, c.Query, h, []byte(form.Encode()), maxTokenBody)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: resp.Status, Body: resp.Body, RequestID: h.Get(requestIDHeader),
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), c.Clock.Now())}, nil
}

// Revoke asks the server to end a refresh token, and with it what it has given, or an access
// token (RFC 7009 2.1). The client is one at the revocation endpoint. A token that the server
// does not know is not an error (RFC 7009 2.2), and neither is one of a kind that it does not
// revoke: nothing more can be done about it. Other errors: as of Request.
func (o *Client) Revoke(ctx context.Context, refresh, access Secret) error {
	form := url.Values{"token": {refresh.Reveal()}, "token_type_hint": {"refresh_token"}}
	if refresh == "" {
		form = url.Values{"token": {access.Reveal()}, "token_type_hint": {"access_token"}}
	}
	answer, err := o.send(ctx, form, nil, o.config.Clock.Now())
	switch {
	case err != nil:
		return err
	case answer.Status >= 200 && answer.Status < 300:
		return httperror.RevocationAnswer(answer.Status, answer.Body, answer.RequestID)
	}
	members, isJSON := object(answer.Body)
	code, _ := members["error"].(string)
	switch code {
	case "invalid_grant", "invalid_token", "unsupported_token_type": // the first two of banks, for a dead token
		return nil
	}
	return answer.failure(ClientCredentials, code, isJSON, o.config.Reading)
}

// GrantType is the kind of a token request.
type GrantType string

// The kinds of token requests.
const (
	AuthorizationCode GrantType = "authorization_code"
	ClientCredentials GrantType = "client_credentials"
	RefreshToken      GrantType = "refresh_token"
)

// Grant is what is exchanged for tokens. Members that are empty are not sent.
type Grant struct {
	Type        GrantType
	Code        Secret
	Verifier    Secret // of PKCE
	RedirectURI string // exactly that of the authorization request
	Refresh     Secret
	Scope       string
	Form        url.Values  // more members, or others in place of ours
	Header      http.Header // more headers, such as those about the person
}

// CodeGrant exchanges an authorization code (RFC 6749 4.1.3, RFC 7636 4.5).
func CodeGrant(code, verifier Secret, redirectURI string) Grant {
	return Grant{Type: AuthorizationCode, Code: code, Verifier: verifier, RedirectURI: redirectURI}
}

// ClientGrant asks for a token of our own (RFC 6749 4.4.2).
func ClientGrant(scope string) Grant { return Grant{Type: ClientCredentials, Scope: scope} }

// RefreshGrant renews tokens (RFC 6749 6).
func RefreshGrant(refresh Secret) Grant { return Grant{Type: RefreshToken, Refresh: refresh} }

func (g Grant) form() url.Values {
	form := url.Values{"grant_type": {string(g.Type)}}
	for name, value := range map[string]string{
		"code": g.Code.Reveal(), "code_verifier": g.Verifier.Reveal(), "redirect_uri": g.RedirectURI,
		"refresh_token": g.Refresh.Reveal(), "scope": g.Scope,
	} {
		if value != "" {
			form.Set(name, value)
		}
	}
	return form
}

// Format implements fmt.Formatter for every verb: a form of a bank can hold secrets.
func (g Grant) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[grant %s]", string(g.Type)) }

// Tokens are what a token endpoint has given. They print masked.
type Tokens struct {
	Access Secret
	// Until is when the access token ends, counted from before the request; zero = the
	// bank does not say: use it until it is refused.
	Until        time.Time
	Refresh      Secret    // empty if the bank gave none: the one that was used stays (RFC 6749 6)
	RefreshUntil time.Time // zero = the bank does not say
	Scope        string
	IDToken      Secret
}

// Stored returns the tokens in the form in which they are sealed with a consent.
func (t Tokens) Stored() institution.Tokens {
	return institution.Tokens{Access: t.Access.Reveal(), Refresh: t.Refresh.Reveal(), Until: t.Until, RefreshUntil: t.RefreshUntil}
}
