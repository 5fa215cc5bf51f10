package xs2a

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/consent"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
	"samla/internal/strictjson"
)

// server is the bank's authorization server, and our client there.
type server struct {
	OAuth
	hosts    oauth.Hosts
	metadata *oauth.Servers
	id       string // client id
	auth     oauth.Auth

	clientToken *oauth.OwnToken
}

// newServer returns the server of a configuration. It has a client for each host that the
// configuration names: no other host is called, whatever the bank's answers say. settings
// has no signer, because signatures are not for messages of OAuth (docs/reference/families.md
// 2.3).
func newServer(c Config, d Deps, keys Keys, settings httpclient.Config) (*server, error) {
	s := &server{OAuth: c.OAuth, id: c.OAuth.clientID(keys.QWAC), clientToken: oauth.NewOwnToken(d.Clock)}
	var faults strictjson.Faults
	if s.auth, faults = s.OAuth.auth(d.Dir, keys); s.id == "" {
		faults.Add("/oauth/clientID", "is missing: the QWAC has no organizationIdentifier")
	}
	if len(faults) > 0 {
		return nil, faults
	}
	var err error
	if s.hosts, err = oauth.NewHosts(settings, c.OAuth.addresses(c.BaseURL)...); err != nil {
		return nil, err
	}
	s.metadata = oauth.NewServers(s.hosts, d.Clock)
	return s, nil
}

func (s *server) close() { s.hosts.Close() }

// endpoints are the addresses of the server for one consent.
type endpoints struct {
	authorization   string // for the browser
	token           oauth.Endpoint
	issuer          string // "" = not known
	issuerInAnswers bool
	named           bool // by the bank's answer, not by the configuration
}

// endpoints returns the addresses of the configuration, or those that the metadata has.
// link is the link scaOAuth of a consent, or "". Errors: those of oauth.Servers.Metadata;
// ForeignAddress if the tokens are to be got from a host that the configuration does not
// name.
func (s *server) endpoints(ctx context.Context, link string) (endpoints, error) {
	e := endpoints{authorization: cmp.Or(s.AuthorizationEndpoint, link), issuer: s.Issuer}
	token := s.TokenEndpoint
	if s.Metadata != "" || token == "" {
		m, err := s.metadata.Metadata(ctx, cmp.Or(s.Metadata, link), s.Issuer)
		if err != nil {
			return endpoints{}, err
		}
		e = endpoints{authorization: cmp.Or(s.AuthorizationEndpoint, m.AuthorizationEndpoint), issuer: m.Issuer, issuerInAnswers: m.IssuerInAnswers,
			named: s.Metadata == "" && token == ""}
		if token == "" {
			token = m.TokenEndpoint
			if _, byCertificate := s.auth.(oauth.TLSAuth); byCertificate {
				token = cmp.Or(m.AliasTokenEndpoint, token) // RFC 8705 5
			}
		}
	}
	var err error
	e.token, err = s.hosts.Endpoint(token)
	return e, err
}

// scope returns the scope to ask for: for a consent, or without one for a login.
func (s *server) scope(id consent.RemoteID) string {
	template := s.Scope
	if template == "" && id != "" {
		template = "AIS:" + consentIDMember
	}
	return strings.ReplaceAll(template, consentIDMember, string(id))
}

// page returns the address of the page where the person signs or logs in.
func (s *server) page(e endpoints, id consent.RemoteID, way institution.Way, returnTo string) (string, error) {
	a := oauth.Authorization{
		Endpoint: e.authorization, ClientID: s.id, ResponseType: s.ResponseType, RedirectURI: returnTo,
		Scope: s.scope(id), State: oauth.Secret(way.State), NoMethod: s.Challenge == challengeUnnamed, Extra: s.AuthorizationQuery,
	}
	if s.Challenge != challengeNone {
		a.Challenge = oauth.Challenge(oauth.Secret(way.Verifier))
	}
	page, err := a.URL()
	if err != nil {
		return "", &institution.Error{Kind: institution.MalformedResponse, Detail: "the authorization endpoint must be an https address", NotSent: true}
	}
	return page, nil
}

// request sends a token request. Errors: those of oauth.Client.Request.
func (s *server) request(ctx context.Context, b *Bank, at oauth.Endpoint, requestID string, g oauth.Grant) (oauth.Tokens, error) {
	client, err := s.client(b, at, requestID)
	if err != nil {
		return oauth.Tokens{}, err
	}
	return client.Request(ctx, g)
}

// client returns our client at an endpoint of the server.
func (s *server) client(b *Bank, at oauth.Endpoint, requestID string) (*oauth.Client, error) {
	header := http.Header{}
	for name, value := range s.Headers {
		header.Set(name, value)
	}
	client, err := oauth.NewClient(oauth.Config{
		ID: s.id, Auth: s.auth, Endpoint: at, Query: valuesOf(s.TokenQuery), Form: valuesOf(s.TokenForm), Header: header,
		Reading: oauth.Reading{CodeErrors: s.CodeErrors}, Clock: b.clock, NewID: func() string { return cmp.Or(requestID, b.newID()) },
	})
	if err != nil {
		return nil, &institution.Error{Kind: institution.Refused, NotSent: true, Cause: err}
	}
	return client, nil
}

// revoke ends the tokens of a login, where the configuration or the metadata has an endpoint
// for that (RFC 7009), at a host of the configuration. Else they end with their time.
// Errors: those of oauth.Servers.Metadata and oauth.Client.Revoke.
func (s *server) revoke(ctx context.Context, b *Bank, a institution.Access) error {
	if a.Refresh == "" && a.Token == "" {
		return nil
	}
	refresh := a.Refresh
	if _, bare, named := strings.Cut(refresh, " "); named {
		refresh = bare // the address of the token endpoint stands before it
	}
	address, err := s.revocation(ctx)
	if address == "" || err != nil {
		return err
	}
	at, err := s.hosts.Endpoint(address)
	if err != nil {
		b.log.Warn("tokens of a login are not revoked: the bank's endpoint is at a host that the configuration does not name")
		return nil
	}
	client, err := s.client(b, at, "")
	if err != nil {
		return err
	}
	return client.Revoke(ctx, oauth.Secret(refresh), oauth.Secret(a.Token))
}

// revocation returns the address of the configuration, or that of the metadata; "" = none.
func (s *server) revocation(ctx context.Context) (string, error) {
	if s.RevocationEndpoint != "" || s.Metadata == "" {
		return s.RevocationEndpoint, nil
	}
	m, err := s.metadata.Metadata(ctx, s.Metadata, s.Issuer)
	if err != nil {
		return "", httperror.NotSent(err)
	}
	if _, byCertificate := s.auth.(oauth.TLSAuth); byCertificate {
		return cmp.Or(m.AliasRevocationEndpoint, m.RevocationEndpoint), nil // RFC 8705 5
	}
	return m.RevocationEndpoint, nil
}

func valuesOf(members map[string]string) url.Values {
	values := url.Values{}
	for name, value := range members {
		values.Set(name, value)
	}
	return values
}

// A refresh token of a server that the bank's answer has named is kept with the address
// of its token endpoint before it: a refresh has nothing else of that answer. No token
// contains a space.

func keptTokens(t oauth.Tokens, at endpoints) *institution.Tokens {
	kept := t.Stored()
	if kept.Refresh != "" && at.named {
		kept.Refresh = at.token.Address() + " " + kept.Refresh
	}
	return &kept
}

// Refresh implements institution.Refresher. Before the first refresh of an hour it may read
// the metadata of the server.
func (b *Bank) Refresh(ctx context.Context, a institution.Access) (institution.Tokens, error) {
	address, refresh, named := strings.Cut(a.Refresh, " ")
	if !named {
		refresh = a.Refresh
	}
	if refresh == "" || b.server == nil {
		return institution.Tokens{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	at, err := endpoints{named: named}, error(nil)
	if named {
		at.token, err = b.server.hosts.Endpoint(address)
	} else {
		at, err = b.server.endpoints(ctx, "")
	}
	if err != nil {
		return institution.Tokens{}, httperror.NotSent(err)
	}
	tokens, err := b.server.request(ctx, b, at.token, "", oauth.RefreshGrant(oauth.Secret(refresh)))
	if err != nil {
		return institution.Tokens{}, err
	}
	return *keptTokens(tokens, at), nil
}
