package obie

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"samla/internal/sandbox/faults"
	"samla/internal/sandbox/obie/signed"

	"github.com/go-jose/go-jose/v4"
)

// Paths below the bank's base path.
const (
	metadataPath  = "/.well-known/openid-configuration"
	jwksPath      = "/jwks"
	authorizePath = "/authorize"
	tokenPath     = "/token"
	pagePath      = "/login/" // and the id of a login
)

// exchange is a request and what answers it.
type exchange struct {
	kind     string // for the log of calls: without ids
	resource bool
	serve    http.HandlerFunc
}

// ServeHTTP handles all paths under the bank's base path.
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.pages != nil && strings.HasPrefix(r.URL.Path, b.base+pagePath) {
		b.pages.ServeHTTP(w, r)
		return
	}
	x := b.route(w, r)
	a := &buffer{header: http.Header{}}
	if f := b.Before(x.kind, x.resource); f.Deviation != "" {
		refuse(a, f)
	} else {
		x.serve(a, r)
	}
	var f faults.Fault
	if a.status < 300 {
		f = b.After(x.kind, x.resource)
	}
	status := a.status
	if f.Deviation == faults.Lost {
		status = 0
	}
	b.calls.Add(x.kind, status)
	maps.Copy(w.Header(), a.header)
	f.Write(w, r, b.Clock, a.status, a.body.Bytes())
}

func (b *Bank) route(w http.ResponseWriter, r *http.Request) exchange {
	path := strings.TrimPrefix(r.URL.Path, b.base)
	get := func(kind string, serve http.HandlerFunc) exchange {
		if r.Method != http.MethodGet {
			return exchange{"unknown", false, notAllowed(http.MethodGet)}
		}
		return exchange{"GET " + kind, false, serve}
	}
	switch {
	case path == metadataPath:
		return get("metadata", b.metadata)
	case path == jwksPath:
		return get("jwks", b.serveKeys)
	case path == authorizePath:
		return get("authorize", b.authorize)
	case path == tokenPath:
		return b.tokenExchange(w, r)
	case strings.HasPrefix(path, "/open-banking/"):
		return b.resourceExchange(r)
	}
	return exchange{"unknown", false, http.NotFound}
}

func notAllowed(methods ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		w.WriteHeader(http.StatusMethodNotAllowed)
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

// serveKeys publishes the key that signs now; the ones before it are gone.
func (b *Bank) serveKeys(w http.ResponseWriter, _ *http.Request) {
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
