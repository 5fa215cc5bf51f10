package authserver

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
)

// Server is a running server.
type Server struct {
	config   Config
	issuer   string
	key      *jose.JSONWebKey
	provider fosite.OAuth2Provider
	subjects map[string]string // of certificates, by client
	server   *http.Server
	served   chan error

	mu    sync.Mutex
	calls map[string]int // by kind, such as "token refresh_token"
}

// Start starts a server. The caller stops it.
func Start(ctx context.Context, c Config) (*Server, error) {
	t, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("authserver: %w", err)
	}
	s := &Server{config: c, issuer: c.Issuer, subjects: map[string]string{}, served: make(chan error, 1), calls: map[string]int{}}
	if s.issuer == "" {
		s.issuer = "https://" + l.Addr().String()
	}
	if err := s.open(); err != nil {
		_ = l.Close()
		return nil, err
	}
	s.server = &http.Server{Handler: s.handler(), TLSConfig: t, ReadHeaderTimeout: 10 * time.Second}
	go func() { s.served <- s.server.ServeTLS(l, "", "") }()
	return s, nil
}

// Issuer is the issuer of the server.
func (s *Server) Issuer() string { return s.issuer }

// Stop closes the server.
func (s *Server) Stop() error {
	err := s.server.Close()
	<-s.served
	return err
}

// open makes the provider and its clients.
func (s *Server) open() error {
	var err error
	if s.key, err = newKey(s.config.Algorithm); err != nil {
		return err
	}
	store := storage.NewMemoryStore()
	for _, c := range s.config.Clients {
		client := &fosite.DefaultOpenIDConnectClient{
			DefaultClient: &fosite.DefaultClient{
				ID: c.ID, RedirectURIs: c.RedirectURIs, ResponseTypes: c.ResponseTypes, Scopes: c.Scopes,
				GrantTypes: []string{"authorization_code", "implicit", "refresh_token", "client_credentials"}, // hybrid needs implicit
			},
			TokenEndpointAuthMethod: c.Auth, TokenEndpointAuthSigningAlgorithm: "PS256", RequestObjectSigningAlgorithm: "PS256",
		}
		if len(c.Keys) > 0 {
			client.JSONWebKeys = &jose.JSONWebKeySet{}
			if err := json.Unmarshal(c.Keys, client.JSONWebKeys); err != nil {
				return fmt.Errorf("authserver: keys of %s: %w", c.ID, err)
			}
		}
		store.Clients[c.ID], s.subjects[c.ID] = client, c.Subject
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("authserver: %w", err)
	}
	config := &fosite.Config{
		AccessTokenLifespan:   seconds(s.config.AccessLifetime, time.Hour),
		AuthorizeCodeLifespan: seconds(s.config.CodeLifetime, time.Minute),
		RefreshTokenLifespan:  seconds(s.config.RefreshLifetime, 180*24*time.Hour),
		IDTokenLifespan:       10 * time.Minute, IDTokenIssuer: s.issuer, AccessTokenIssuer: s.issuer, TokenURL: s.issuer + "/token",
		EnforcePKCE: s.config.PKCE, GlobalSecret: secret, RefreshTokenScopes: []string{}, ScopeStrategy: scopes, SendDebugMessagesToClients: true,
	}
	key := func(context.Context) (any, error) { return s.key, nil }
	s.provider = compose.Compose(config, store, &compose.CommonStrategy{
		CoreStrategy:               compose.NewOAuth2HMACStrategy(config),
		OpenIDConnectTokenStrategy: compose.NewOpenIDConnectStrategy(key, config),
		Signer:                     &jwt.DefaultSigner{GetPrivateKey: key},
	},
		compose.OAuth2AuthorizeExplicitFactory, compose.OAuth2ClientCredentialsGrantFactory, compose.OAuth2RefreshTokenGrantFactory,
		compose.OpenIDConnectExplicitFactory, compose.OpenIDConnectHybridFactory, compose.OpenIDConnectRefreshFactory,
		compose.OAuth2TokenIntrospectionFactory, compose.OAuth2PKCEFactory,
	)
	config.ClientAuthenticationStrategy = s.authenticate(store, s.provider.(*fosite.Fosite).DefaultClientAuthenticationStrategy)
	return nil
}

// scopes accepts a scope that the client has, or one of a family that it has.
func scopes(have []string, want string) bool {
	for _, h := range have {
		family, isFamily := strings.CutSuffix(h, "*")
		if h == want || isFamily && len(want) >= len(family) && strings.EqualFold(want[:len(family)], family) {
			return true
		}
	}
	return false
}

// authenticate adds tls_client_auth (RFC 8705 2.1) to what fosite can do.
func (s *Server) authenticate(store *storage.MemoryStore, otherwise fosite.ClientAuthenticationStrategy) fosite.ClientAuthenticationStrategy {
	return func(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
		if s.config.ClientCAs != "" && (r.TLS == nil || len(r.TLS.PeerCertificates) == 0) {
			return nil, fosite.ErrInvalidClient.WithHint("A client certificate is required.")
		}
		client, err := store.GetClient(ctx, form.Get("client_id"))
		if err != nil {
			return otherwise(ctx, r, form)
		}
		if c, ok := client.(fosite.OpenIDConnectClient); !ok || c.GetTokenEndpointAuthMethod() != "tls_client_auth" {
			return otherwise(ctx, r, form)
		}
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || r.TLS.PeerCertificates[0].Subject.String() != s.subjects[client.GetID()] {
			return nil, fosite.ErrInvalidClient.WithHint("The certificate is not that of the client.")
		}
		return client, nil
	}
}
