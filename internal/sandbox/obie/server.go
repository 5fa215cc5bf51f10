package obie

import (
	"encoding/json"
	"net/http"
	"strings"

	"samla/internal/sandbox/obie/signed"

	"github.com/go-jose/go-jose/v4"
)

// Paths below the bank's base path.
const (
	metadataPath  = "/.well-known/openid-configuration"
	jwksPath      = "/jwks"
	authorizePath = "/authorize"
	tokenPath     = "/token"
	pagePath      = "/page/" // and the id of a login
)

// ServeHTTP handles all paths under the bank's base path.
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, b.base)
	switch {
	case path == metadataPath:
		b.logged(w, r, only(http.MethodGet, "metadata", b.metadata))
	case path == jwksPath:
		b.logged(w, r, only(http.MethodGet, "jwks", b.jwks))
	case path == authorizePath:
		b.logged(w, r, only(http.MethodGet, "authorize", b.authorize))
	case path == tokenPath:
		b.logged(w, r, b.token)
	case strings.HasPrefix(path, "/open-banking/"):
		b.logged(w, r, b.resource)
	default:
		b.logged(w, r, only(r.Method, "unknown", http.NotFound))
	}
}

// only serves one method and returns the kind of the call.
func only(method, kind string, serve http.HandlerFunc) func(http.ResponseWriter, *http.Request) string {
	return func(w http.ResponseWriter, r *http.Request) string {
		if r.Method != method {
			w.Header().Set("Allow", method)
			w.WriteHeader(http.StatusMethodNotAllowed)
		} else {
			serve(w, r)
		}
		return kind
	}
}

// metadata are those of OpenID Connect Discovery 3, RFC 8705 3.3 and RFC 9207 3.
func (b *Bank) metadata(w http.ResponseWriter, _ *http.Request) {
	issuer := b.Issuer()
	m := map[string]any{
		"issuer": issuer, "authorization_endpoint": issuer + authorizePath, "token_endpoint": issuer + tokenPath, "jwks_uri": issuer + jwksPath,
		"scopes_supported": []string{"openid", "accounts"}, "response_types_supported": []string{"code id_token"},
		"response_modes_supported": []string{"fragment"}, "subject_types_supported": []string{"public"},
		"grant_types_supported":                            []string{"client_credentials", "authorization_code", "refresh_token"},
		"token_endpoint_auth_methods_supported":            []ClientAuth{b.ClientAuth},
		"token_endpoint_auth_signing_alg_values_supported": []string{"PS256"},
		"request_object_signing_alg_values_supported":      []string{"PS256"},
		"id_token_signing_alg_values_supported":            []string{"PS256"},
		"request_parameter_supported":                      true, "request_uri_parameter_supported": false, "claims_parameter_supported": true,
		"claims_supported": []string{"openbanking_intent_id", "acr"}, "acr_values_supported": signed.ACRs,
		"tls_client_certificate_bound_access_tokens": true,
	}
	if b.PKCE {
		m["code_challenge_methods_supported"] = []string{"S256"}
	}
	if b.SaysIssuer {
		m["authorization_response_iss_parameter_supported"] = true
	}
	writeJSON(w, http.StatusOK, m)
}

// jwks is the key that signs now; the ones before it are gone.
func (b *Bank) jwks(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	k, err := b.key()
	b.mu.Unlock()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.Public()}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the connection is closed
}
