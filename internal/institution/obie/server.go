package obie

import (
	"cmp"
	"context"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/openid"
)

// server is the bank's authorization server, and our client there. It is safe for
// concurrent use.
type server struct {
	config   Config
	hosts    oauth.Hosts
	metadata *oauth.Servers
	auth     oauth.Auth
	signer   *oauth.Signer
	ownToken *oauth.OwnToken
	clock    clock.Clock

	mu       sync.Mutex
	keysAt   string // where keys are
	verifier *openid.Verifier
}

func newServer(c Config, signer *oauth.Signer, settings httpclient.Config, d institution.Deps) (*server, error) {
	s := &server{config: c, auth: oauth.TLSAuth{}, signer: signer, ownToken: oauth.NewOwnToken(d.Clock), clock: d.Clock}
	if c.ClientAuth == authJWT {
		s.auth = oauth.PrivateKeyJWT{Signer: signer, Audience: c.Audience, Random: d.Random}
	}
	var err error
	if s.hosts, err = oauth.NewHosts(settings, c.addresses()...); err != nil {
		return nil, err
	}
	s.metadata = oauth.NewServers(s.hosts, d.Clock)
	return s, nil
}

// endpoints are the addresses of the server.
type endpoints struct {
	authorization   string // for the browser
	token           oauth.Endpoint
	keys            oauth.Endpoint
	issuerInAnswers bool
}

// endpoints returns the addresses of the configuration, and those of the metadata for what
// it does not name. Errors: those of oauth.Servers.Metadata; ForeignAddress if tokens or
// keys are at a host that the configuration does not name.
func (s *server) endpoints(ctx context.Context) (endpoints, error) {
	c := s.config
	e := endpoints{authorization: c.AuthorizationEndpoint}
	token, keys := c.TokenEndpoint, c.JWKSURI
	if !c.namesAll() {
		m, err := s.metadata.Metadata(ctx, cmp.Or(c.Metadata, oauth.OpenIDWellKnown(c.Issuer)), c.Issuer)
		if err != nil {
			return endpoints{}, err
		}
		e.authorization, e.issuerInAnswers = cmp.Or(e.authorization, m.AuthorizationEndpoint), m.IssuerInAnswers
		keys = cmp.Or(keys, m.JWKSURI)
		if token == "" {
			token = m.TokenEndpoint
			if c.Certificates.Cert != "" {
				token = cmp.Or(m.AliasTokenEndpoint, token) // RFC 8705 5
			}
		}
	}
	var err error
	if e.token, err = s.hosts.Endpoint(token); err == nil {
		e.keys, err = s.hosts.Endpoint(keys)
	}
	return e, err
}

// verifierAt returns the verifier of the server's tokens. Its keys are kept between calls.
func (s *server) verifierAt(e endpoints) (*openid.Verifier, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verifier != nil && s.keysAt == e.keys.Address() {
		return s.verifier, nil
	}
	v, err := openid.NewVerifier(openid.Config{Keys: openid.NewKeys(e.keys, s.clock), Issuer: s.config.Issuer, ClientID: s.config.ClientID,
		Algorithms: s.config.Algorithms, Clock: s.clock})
	if err == nil {
		s.keysAt, s.verifier = e.keys.Address(), v
	}
	return v, err
}

// page returns the address of the page where the person signs the consent.
func (s *server) page(e endpoints, consentID string, w institution.Way, life time.Duration) (string, error) {
	c := s.config
	object := openid.RequestObject{
		ClientID: c.ClientID, Audience: c.Issuer, RedirectURI: w.Return, Scope: c.Scope, State: oauth.Secret(w.State), Nonce: oauth.Secret(w.Nonce),
		Intent: consentID, ACR: c.acr(), Life: min(life, longestLink),
	}
	if c.Challenge != challengeNone {
		object.Challenge = oauth.Challenge(oauth.Secret(w.Verifier))
	}
	signed, err := object.Sign(s.signer, s.clock.Now())
	if err != nil {
		return "", &institution.Error{Kind: institution.CertificateRejected, Reason: institution.NotSigned, NotSent: true, Cause: err}
	}
	// What is signed counts; a server of OpenID wants these members outside, too.
	page, err := oauth.Authorization{Endpoint: e.authorization, ClientID: c.ClientID, ResponseType: "code id_token", Scope: c.Scope,
		RedirectURI: w.Return, State: oauth.Secret(w.State), Nonce: oauth.Secret(w.Nonce), Request: signed}.URL()
	if err != nil {
		return "", &institution.Error{Kind: institution.MalformedResponse, Detail: "the authorization endpoint must be an https address", NotSent: true}
	}
	return page, nil
}

// request sends a token request. Errors: those of oauth.Client.Request.
func (s *server) request(ctx context.Context, e endpoints, newID func() string, g oauth.Grant) (oauth.Tokens, error) {
	client, err := oauth.NewClient(oauth.Config{ID: s.config.ClientID, Auth: s.auth, Endpoint: e.token, Clock: s.clock, NewID: newID})
	if err != nil {
		return oauth.Tokens{}, &institution.Error{Kind: institution.Refused, NotSent: true, Cause: err}
	}
	return client.Request(ctx, g)
}

// own asks for a token of ours, which is for consents.
func (s *server) own(ctx context.Context, newID func() string) (oauth.Tokens, error) {
	e, err := s.endpoints(ctx)
	if err != nil {
		return oauth.Tokens{}, httperror.NotSent(err)
	}
	return s.request(ctx, e, newID, oauth.ClientGrant(s.config.ClientScope))
}
