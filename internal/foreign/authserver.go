package foreign

import (
	"encoding/json"
	"testing"
)

// AuthServer configures an authorisation server. It answers authorisation requests at once,
// as Refuse says, and has, besides what its metadata name: /resource, which says what an
// access token stands for, and /calls, which counts. It runs on the clock of the machine.
// fosite answers an expired request object with status 500, and signs with c_hash but
// without s_hash.
type AuthServer struct {
	Listen      string `json:"listen,omitempty"`    // such as "127.0.0.1:8443"; empty: a free port of 127.0.0.1
	Issuer      string `json:"issuer,omitempty"`    // empty: https:// and the address; a path is before all paths
	Certificate string `json:"certificate"`         // of the server, PEM
	Key         string `json:"key"`                 // of the server, PEM
	ClientCAs   string `json:"clientCAs,omitempty"` // PEM; with them the token endpoint requires a certificate
	Algorithm   string `json:"algorithm,omitempty"` // of id_tokens: PS256 or RS256; empty: PS256
	StateHash   bool   `json:"stateHash,omitempty"` // adds s_hash to id_tokens
	PKCE        bool   `json:"pkce,omitempty"`      // S256 is required
	Refuse      bool   `json:"refuse,omitempty"`    // access_denied to everybody
	// Lifetimes in seconds; 0: 60, 3600 and 180 days.
	CodeLifetime    int                `json:"codeLifetime,omitempty"`
	AccessLifetime  int                `json:"accessLifetime,omitempty"`
	RefreshLifetime int                `json:"refreshLifetime,omitempty"`
	Clients         []AuthServerClient `json:"clients"`
}

// AuthServerClient is a registered client.
type AuthServerClient struct {
	ID            string          `json:"id"`
	Auth          string          `json:"auth"`              // private_key_jwt or tls_client_auth
	Subject       string          `json:"subject,omitempty"` // of its certificate, as pkix.Name.String formats it; for tls_client_auth
	Keys          json.RawMessage `json:"keys,omitempty"`    // JWKS of its request objects and assertions
	RedirectURIs  []string        `json:"redirectUris"`
	Scopes        []string        `json:"scopes"`        // one that ends with * stands for all that begin so
	ResponseTypes []string        `json:"responseTypes"` // such as "code" or "code id_token"
}

// Start starts the server for the time of the test and returns its issuer.
func (c AuthServer) Start(tb testing.TB) (issuer string) {
	tb.Helper()
	line, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	var serves struct{ Issuer string }
	start(tb, "authserver", append(line, '\n'), &serves)
	return serves.Issuer
}
