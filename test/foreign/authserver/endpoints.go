package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	josejwt "github.com/go-jose/go-jose/v3/jwt"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/token/jwt"
)

// handler serves, below the path of the issuer:
//
//	/.well-known/openid-configuration, /.well-known/oauth-authorization-server, /jwks
//	/authorize, /token
//	/resource  what the access token of the request stands for, or 401
//	/calls     how many calls there were, by kind
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	base := ""
	if u, err := url.Parse(s.issuer); err == nil {
		base = u.Path
	}
	mux.HandleFunc("GET "+base+"/.well-known/openid-configuration", s.metadata)
	mux.HandleFunc("GET "+base+"/.well-known/oauth-authorization-server", s.metadata)
	mux.HandleFunc("GET "+base+"/jwks", func(w http.ResponseWriter, _ *http.Request) {
		s.count("jwks")
		write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{s.key.Public()}})
	})
	mux.HandleFunc("GET "+base+"/authorize", s.authorize)
	mux.HandleFunc("POST "+base+"/token", s.token)
	mux.HandleFunc("GET "+base+"/resource", s.resource)
	mux.HandleFunc("GET "+base+"/calls", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		write(w, s.calls)
	})
	return mux
}

func (s *Server) count(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[kind]++
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the connection is closed
}

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	s.count("metadata")
	m := map[string]any{
		"issuer": s.issuer, "authorization_endpoint": s.issuer + "/authorize", "token_endpoint": s.issuer + "/token", "jwks_uri": s.issuer + "/jwks",
		"response_types_supported": []string{"code", "code id_token"}, "response_modes_supported": []string{"query", "fragment"},
		"grant_types_supported":                            []string{"client_credentials", "authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported":            []string{"private_key_jwt", "tls_client_auth"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"PS256"}, "request_object_signing_alg_values_supported": []string{"PS256"},
		"id_token_signing_alg_values_supported": []string{s.key.Algorithm}, "subject_types_supported": []string{"public"},
		"request_parameter_supported": true, "code_challenge_methods_supported": []string{"S256"},
	}
	write(w, m)
}

// newSession returns the session of a person. The id_token says what the request object
// asks for: fosite hands on the member "claims" as the text of a Go map, so the request
// object is read here.
func (s *Server) newSession(form url.Values, state string) *openid.DefaultSession {
	extra := map[string]any{}
	if token, err := josejwt.ParseSigned(form.Get("request")); err == nil { // fosite has verified it
		var asked struct {
			Claims struct {
				IDToken struct {
					Intent struct {
						Value string `json:"value"`
					} `json:"openbanking_intent_id"`
				} `json:"id_token"`
			} `json:"claims"`
		}
		if err := token.UnsafeClaimsWithoutVerification(&asked); err == nil && asked.Claims.IDToken.Intent.Value != "" {
			extra["openbanking_intent_id"] = asked.Claims.IDToken.Intent.Value
		}
	}
	if s.config.StateHash && state != "" {
		sum := sha256.Sum256([]byte(state))
		extra["s_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	now := time.Now().UTC()
	return &openid.DefaultSession{
		Claims:  &jwt.IDTokenClaims{Issuer: s.issuer, Subject: "person-1", AuthTime: now, RequestedAt: now, Extra: extra, AuthenticationContextClassReference: "urn:openbanking:psd2:sca"},
		Headers: &jwt.Headers{Extra: map[string]any{"kid": s.key.KeyID}},
		Subject: "person-1",
	}
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	s.count("authorize")
	ctx := r.Context()
	request, err := s.provider.NewAuthorizeRequest(ctx, r)
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	if s.config.Refuse {
		s.provider.WriteAuthorizeError(ctx, w, request, fosite.ErrAccessDenied)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := s.provider.NewAuthorizeResponse(ctx, request, s.newSession(r.URL.Query(), request.GetState()))
	if err != nil {
		s.provider.WriteAuthorizeError(ctx, w, request, err)
		return
	}
	s.provider.WriteAuthorizeResponse(ctx, w, request, response)
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // fosite reports it
	s.count("token " + r.PostForm.Get("grant_type"))
	ctx := r.Context()
	request, err := s.provider.NewAccessRequest(ctx, r, s.newSession(url.Values{}, ""))
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	if request.GetGrantTypes().ExactOne("client_credentials") {
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	}
	response, err := s.provider.NewAccessResponse(ctx, request)
	if err != nil {
		s.provider.WriteAccessError(ctx, w, request, err)
		return
	}
	s.provider.WriteAccessResponse(ctx, w, request, response)
}

func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	s.count("resource")
	kind, token, err := s.provider.IntrospectToken(r.Context(), fosite.AccessTokenFromRequest(r), fosite.AccessToken, s.newSession(url.Values{}, ""))
	if err != nil || kind != fosite.AccessToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	write(w, map[string]any{"client": token.GetClient().GetID(), "subject": token.GetSession().GetSubject(), "scopes": token.GetGrantedScopes()})
}
