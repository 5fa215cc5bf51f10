package obie

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/openid"
	"samla/internal/strictjson"
)

// Config holds the members of an entry of the banks file that belong to this family. The
// least that a bank needs, beside the common members:
//
//	{
//	  "baseURL": "https://api.mybank.example/open-banking/v3.1/aisp",
//	  "issuer": "https://auth.mybank.example", "clientID": "…",
//	  "keyFile": "signing-key.pem", "keyID": "…",
//	  "certificates": {"cert": "qwac.pem", "key": "qwac-key.pem"}
//	}
//
// Members that are left out have the defaults in parentheses.
type Config struct {
	BaseURL string `json:"baseURL,omitzero"` // the part of the addresses before /accounts
	Version string `json:"version,omitzero"` // of the standard: 3.1.11 or 4.0 (3.1.11)

	// The bank's authorization server. Its issuer stands in its tokens. What is left out of
	// the endpoints is read from the metadata.
	Issuer                string `json:"issuer,omitzero"`
	Metadata              string `json:"metadata,omitzero"` // address (issuer/.well-known/openid-configuration)
	AuthorizationEndpoint string `json:"authorizationEndpoint,omitzero"`
	TokenEndpoint         string `json:"tokenEndpoint,omitzero"`
	JWKSURI               string `json:"jwksURI,omitzero"`
	// Hosts are the base URLs of more hosts of the bank that may be called for metadata, keys
	// and tokens. Those of the addresses above may be in any case.
	Hosts []string `json:"hosts,omitempty"`
	// Algorithms are those that the server signs with: PS256, ES256, or RS256, which FAPI
	// does not allow (PS256, ES256).
	Algorithms []string `json:"algorithms,omitempty"`

	ClientID     string       `json:"clientID,omitzero"`
	ClientAuth   string       `json:"clientAuth,omitzero"` // tls_client_auth or private_key_jwt (tls_client_auth)
	Audience     string       `json:"audience,omitzero"`   // of a private_key_jwt (the token endpoint)
	KeyFile      string       `json:"keyFile,omitzero"`    // PEM: the private key that signs request objects, RSA or P-256
	KeyID        string       `json:"keyID,omitzero"`      // as the bank knows the key
	Certificates Certificates `json:"certificates,omitzero"`
	// FinancialID is the bank's id in x-fapi-financial-id ("", not sent).
	FinancialID string `json:"financialID,omitzero"`

	Scope       string `json:"scope,omitzero"`       // of the person's login (openid accounts)
	ClientScope string `json:"clientScope,omitzero"` // of our own token (accounts)
	// ACR are how the person has to log in, as the bank's id_token must say; "none" alone: it is
	// not asked for (OBIE's two values).
	ACR       []string `json:"acr,omitempty"`
	Challenge string   `json:"challenge,omitzero"` // PKCE: S256 or none (S256)
	// Permissions are asked for beside those that a consent needs, such as ReadPAN (none).
	Permissions []string `json:"permissions,omitempty"`

	Profile Profile `json:"profile,omitzero"`
}

// Certificates names PEM files. Relative paths start at the folder of the banks file.
type Certificates struct {
	Cert   string `json:"cert,omitzero"` // identifies us in TLS: the QWAC, or OBIE's transport certificate
	Key    string `json:"key,omitzero"`
	CAFile string `json:"caFile,omitzero"` // CAs of the bank's servers; empty = the system's
}

// The versions, and what our client and its requests can be.
const (
	version31 = "3.1.11"
	version40 = "4.0"

	authTLS = "tls_client_auth"
	authJWT = "private_key_jwt"

	challengeS256 = "S256"
	challengeNone = "none"

	acrNone = "none"

	longestID = 200 // characters of a client id, a key id, a scope
)

// financialRE: the ids are of OBIE's directory, or of the bank's choice.
var financialRE = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,100}$`)

func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, version31)
	c.ClientAuth = cmp.Or(c.ClientAuth, authTLS)
	c.Scope = cmp.Or(c.Scope, "openid accounts")
	c.ClientScope = cmp.Or(c.ClientScope, "accounts")
	c.Challenge = cmp.Or(c.Challenge, challengeS256)
	c.Profile = c.Profile.withDefaults()
	return c
}

// Check implements institution.Config.
func (c Config) Check() (faults strictjson.Faults) {
	c = c.withDefaults()
	oneOf := func(pointer, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			faults.Add(pointer, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	if err := httpclient.ValidateBaseURL(c.BaseURL); err != nil {
		faults.Add("/baseURL", "must be the https address before /accounts, without user, query and fragment")
	}
	oneOf("/version", c.Version, version31, version40)
	faults = append(faults, c.checkServer()...)
	faults = append(faults, c.checkClient()...)
	oneOf("/challenge", c.Challenge, challengeS256, challengeNone)
	for i, p := range c.Permissions {
		if !slices.Contains(permissions, p) || slices.Contains(c.Permissions[:i], p) {
			faults.Add(fmt.Sprintf("/permissions/%d", i), "must be a permission of the standard, once")
		}
	}
	return append(faults, c.Profile.check().Under("/profile")...)
}

func (c Config) checkServer() (faults strictjson.Faults) {
	for _, address := range []struct{ name, value string }{{"issuer", c.Issuer}, {"metadata", c.Metadata},
		{"authorizationEndpoint", c.AuthorizationEndpoint}, {"tokenEndpoint", c.TokenEndpoint}, {"jwksURI", c.JWKSURI}} {
		if _, err := oauth.AddQuery(address.value, nil); address.value != "" && err != nil {
			faults.Add("/"+address.name, "must be an https address without user and fragment")
		}
	}
	if c.Issuer == "" {
		faults.Add("/issuer", "is missing: name the issuer of the bank's authorization server, exactly as in its metadata")
	}
	for i, host := range c.Hosts {
		if httpclient.ValidateBaseURL(host) != nil {
			faults.Add(fmt.Sprintf("/hosts/%d", i), `must be the https address of a host, such as "https://keystore.mybank.example"`)
		}
	}
	for i, a := range c.Algorithms {
		if !slices.Contains([]string{"PS256", "ES256", "RS256"}, a) || slices.Contains(c.Algorithms[:i], a) {
			faults.Add(fmt.Sprintf("/algorithms/%d", i), `must be one of ["PS256" "ES256" "RS256"], each once`)
		}
	}
	return faults
}

func (c Config) checkClient() (faults strictjson.Faults) {
	if !isWord(c.ClientID) || strings.Contains(c.ClientID, " ") {
		faults.Add("/clientID", "must be the client id that the bank has given us")
	}
	if c.ClientAuth != authTLS && c.ClientAuth != authJWT {
		faults.Add("/clientAuth", fmt.Sprintf("must be one of %q", []string{authTLS, authJWT}))
	}
	if _, err := oauth.AddQuery(c.Audience, nil); c.Audience != "" && (err != nil || c.ClientAuth != authJWT) {
		faults.Add("/audience", "must be an https address, with private_key_jwt")
	}
	if c.KeyFile == "" {
		faults.Add("/keyFile", "is missing: name the PEM file of the private key whose public half the bank knows")
	}
	switch {
	case (c.Certificates.Cert == "") != (c.Certificates.Key == ""):
		faults.Add("/certificates/cert", "certificate and key go together: name both files")
	case c.ClientAuth == authTLS && c.Certificates.Cert == "":
		faults.Add("/certificates/cert", "is missing: tls_client_auth needs a certificate")
	}
	if c.FinancialID != "" && !financialRE.MatchString(c.FinancialID) {
		faults.Add("/financialID", "must be the id of the bank, without spaces")
	}
	for _, word := range []struct{ name, value string }{{"scope", c.Scope}, {"clientScope", c.ClientScope}} {
		if !isWord(word.value) {
			faults.Add("/"+word.name, "must have at most 200 printable characters")
		}
	}
	if c.KeyID != "" && !isWord(c.KeyID) {
		faults.Add("/keyID", "must have at most 200 printable characters")
	}
	for i, value := range c.ACR {
		if value == acrNone && len(c.ACR) > 1 {
			faults.Add(fmt.Sprintf("/acr/%d", i), `must be the only value: "none" asks for nothing`)
		}
		if !isWord(value) {
			faults.Add(fmt.Sprintf("/acr/%d", i), "must have at most 200 printable characters")
		}
	}
	return faults
}

// isWord reports whether s is something that a request can carry.
func isWord(s string) bool {
	return s != "" && len(s) <= longestID && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// acr returns the values of acr to ask for; nil = none.
func (c Config) acr() []string {
	switch {
	case c.ACR == nil:
		return openid.OBIEACR()
	case slices.Equal(c.ACR, []string{acrNone}):
		return nil
	}
	return c.ACR
}

// addresses are those of the configuration whose hosts may be called.
func (c Config) addresses() []string {
	metadata := c.Metadata
	if metadata == "" && !c.namesAll() {
		metadata = oauth.OpenIDWellKnown(c.Issuer)
	}
	return append([]string{c.BaseURL, metadata, c.TokenEndpoint, c.JWKSURI}, c.Hosts...)
}

// namesAll reports whether the configuration has every endpoint, so that no metadata is
// read.
func (c Config) namesAll() bool {
	return c.Metadata == "" && c.AuthorizationEndpoint != "" && c.TokenEndpoint != "" && c.JWKSURI != ""
}
