// Package authserver is an authorisation server that is not ours: ory/fosite does what the
// standards say, this package only configures it. Tests of connectors meet it besides the
// simulated banks, so that they are not only tested against our own reading of OAuth 2.0
// and OpenID Connect (docs/reference/families.md 2.3, 4, 14.3).
//
// It has no page: the authorisation endpoint answers at once, as Config.Refuse says. It
// runs on the clock of the machine.
package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v3"
)

// Config is the configuration of a server, as JSON.
type Config struct {
	// Listen is the address, such as "127.0.0.1:8443"; empty: a free port of 127.0.0.1.
	Listen string `json:"listen,omitempty"`
	// Issuer is the issuer; empty: https:// and the address. Its path, if it has one, is
	// before all paths of the server.
	Issuer string `json:"issuer,omitempty"`
	// Certificate and Key are the server's, PEM.
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	// ClientCAs are the authorities of client certificates, PEM. With them, the token
	// endpoint requires a certificate; empty: no certificates.
	ClientCAs string `json:"clientCAs,omitempty"`
	// Algorithm signs id_tokens: PS256 or RS256; empty: PS256.
	Algorithm string `json:"algorithm,omitempty"`
	// StateHash adds s_hash to id_tokens of the authorisation endpoint, as FAPI wants; fosite
	// does not know it.
	StateHash bool `json:"stateHash,omitempty"`
	// PKCE is required (S256) if true.
	PKCE bool `json:"pkce,omitempty"`
	// Refuse answers every authorisation request with access_denied.
	Refuse bool `json:"refuse,omitempty"`
	// Lifetimes in seconds; 0: 60, 3600 and 180 days.
	CodeLifetime    int      `json:"codeLifetime,omitempty"`
	AccessLifetime  int      `json:"accessLifetime,omitempty"`
	RefreshLifetime int      `json:"refreshLifetime,omitempty"`
	Clients         []Client `json:"clients"`
}

// Client is a registered client.
type Client struct {
	ID string `json:"id"`
	// Auth authenticates it at the token endpoint: private_key_jwt, or tls_client_auth.
	Auth string `json:"auth"`
	// Subject is the subject of its certificate for tls_client_auth, as Go's
	// pkix.Name.String formats it.
	Subject string `json:"subject,omitempty"`
	// Keys is the JWKS of its request objects and assertions.
	Keys         json.RawMessage `json:"keys,omitempty"`
	RedirectURIs []string        `json:"redirectUris"`
	// Scopes that it may ask for; one that ends with * stands for all that begin so, in
	// capitals or not.
	Scopes []string `json:"scopes"`
	// ResponseTypes are such as "code" or "code id_token".
	ResponseTypes []string `json:"responseTypes"`
}

func seconds(n int, otherwise time.Duration) time.Duration {
	if n == 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// tlsConfig returns the configuration of the server's TLS.
func (c Config) tlsConfig() (*tls.Config, error) {
	pair, err := tls.X509KeyPair([]byte(c.Certificate), []byte(c.Key))
	if err != nil {
		return nil, fmt.Errorf("authserver: certificate: %w", err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if c.ClientCAs != "" {
		t.ClientAuth, t.ClientCAs = tls.VerifyClientCertIfGiven, x509.NewCertPool()
		if !t.ClientCAs.AppendCertsFromPEM([]byte(c.ClientCAs)) {
			return nil, errors.New("authserver: clientCAs has no certificate")
		}
	}
	return t, nil
}

// newKey returns a new key that signs id_tokens.
func newKey(algorithm string) (*jose.JSONWebKey, error) {
	switch algorithm {
	case "":
		algorithm = string(jose.PS256)
	case string(jose.PS256), string(jose.RS256):
	default:
		return nil, errors.New("authserver: algorithm must be PS256 or RS256")
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("authserver: key: %w", err)
	}
	return &jose.JSONWebKey{Key: k, KeyID: "foreign-1", Algorithm: algorithm, Use: "sig"}, nil
}
