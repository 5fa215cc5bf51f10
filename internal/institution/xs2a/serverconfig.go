package xs2a

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"samla/internal/eidas"
	"samla/internal/httpclient"
	"samla/internal/institution/oauth"
	"samla/internal/jsontext"
	"samla/internal/strictjson"
)

// OAuth describes the bank's authorization server and our client there
// (docs/reference/families.md 2.3). The zero value is a bank that names its server with
// each consent, and knows us by the QWAC. Members that are left out have the defaults in
// parentheses.
type OAuth struct {
	Metadata string `json:"metadata,omitzero"` // address of the server's metadata (the link scaOAuth, exactly as the bank gives it)
	Issuer   string `json:"issuer,omitzero"`   // that the metadata must have ("", any)
	// For a server without metadata. With a token endpoint alone, the link scaOAuth is the
	// authorization endpoint.
	AuthorizationEndpoint string `json:"authorizationEndpoint,omitzero"`
	TokenEndpoint         string `json:"tokenEndpoint,omitzero"`
	// RevocationEndpoint is where the tokens of a login are ended (that of the metadata; without
	// one they end with their time).
	RevocationEndpoint string `json:"revocationEndpoint,omitzero"`
	// Hosts are the base URLs of more hosts of the bank that may be called for metadata and
	// tokens. Those of baseURL and of the addresses above may be in any case.
	Hosts []string `json:"hosts,omitempty"`

	ClientID   string `json:"clientID,omitzero"`   // (organizationIdentifier of the QWAC)
	ClientAuth string `json:"clientAuth,omitzero"` // tls, basic, post or privateKeyJWT (tls)
	// The client secret of basic and post is the text of a file, or the value of an
	// environment variable.
	SecretFile     string `json:"secretFile,omitzero"`
	SecretVariable string `json:"secretVariable,omitzero"`
	KeyID          string `json:"keyID,omitzero"`    // of the QSealC's key, which signs a privateKeyJWT
	Audience       string `json:"audience,omitzero"` // of a privateKeyJWT (the token endpoint)

	Scope              string            `json:"scope,omitzero"`        // (AIS:{consentId}; of a login before the consent "")
	ResponseType       string            `json:"responseType,omitzero"` // (code)
	Challenge          string            `json:"challenge,omitzero"`    // S256, unnamed (without code_challenge_method) or none (S256)
	AuthorizationQuery map[string]string `json:"authorizationQuery,omitempty"`
	TokenQuery         map[string]string `json:"tokenQuery,omitempty"`
	TokenForm          map[string]string `json:"tokenForm,omitempty"`
	Headers            map[string]string `json:"headers,omitempty"`    // sent with token requests, such as an API key
	CodeErrors         []string          `json:"codeErrors,omitempty"` // errors that say that a code is wrong, beside invalid_grant

	// ClientToken: requests without a token of the person carry one that we get for
	// ourselves (client_credentials), for ClientScope.
	ClientToken bool   `json:"clientToken,omitzero"`
	ClientScope string `json:"clientScope,omitzero"`
}

// How our client proves who it is.
const (
	authTLS   = "tls"
	authBasic = "basic"
	authPost  = "post"
	authJWT   = "privateKeyJWT"
)

// How the challenge of PKCE is sent.
const (
	challengeS256    = "S256"
	challengeUnnamed = "unnamed"
	challengeNone    = "none"
)

const consentIDMember = "{consentId}"

func (o OAuth) isZero() bool {
	return o.Metadata == "" && o.AuthorizationEndpoint == "" && o.TokenEndpoint == "" && o.RevocationEndpoint == "" && o.ClientID == "" && o.ClientAuth == "" && len(o.Hosts) == 0 && !o.ClientToken
}

// check reports what cannot be used with the way to sign.
func (o OAuth) check(sca string) (faults strictjson.Faults) {
	oneOf := func(name, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			faults.Add("/"+name, fmt.Sprintf("must be one of %q", allowed))
		}
	}
	for _, address := range []struct{ name, value string }{{"metadata", o.Metadata}, {"issuer", o.Issuer},
		{"authorizationEndpoint", o.AuthorizationEndpoint}, {"tokenEndpoint", o.TokenEndpoint}, {"revocationEndpoint", o.RevocationEndpoint}} {
		if _, err := oauth.AddQuery(address.value, nil); address.value != "" && err != nil {
			faults.Add("/"+address.name, "must be an https address without user and fragment")
		}
	}
	for i, host := range o.Hosts {
		if httpclient.ValidateBaseURL(host) != nil {
			faults.Add(fmt.Sprintf("/hosts/%d", i), `must be the https address of a host, such as "https://login.mybank.example"`)
		}
	}
	oneOf("clientAuth", o.ClientAuth, authTLS, authBasic, authPost, authJWT)
	oneOf("challenge", o.Challenge, challengeS256, challengeUnnamed, challengeNone)
	switch secret := o.ClientAuth == authBasic || o.ClientAuth == authPost; {
	case o.SecretFile != "" && o.SecretVariable != "":
		faults.Add("/secretVariable", "is there beside secretFile: name one of them")
	case secret && o.SecretFile == "" && o.SecretVariable == "":
		faults.Add("/secretFile", "is missing: name a file with the client secret, or a variable in secretVariable")
	case slices.Contains([]string{"", authTLS, authJWT}, o.ClientAuth) && (o.SecretFile != "" || o.SecretVariable != ""):
		faults.Add("/clientAuth", "must be basic or post: there is a client secret")
	}
	faults = append(faults, checkMembers("/authorizationQuery", o.AuthorizationQuery, "state", "redirect_uri", "code_challenge", "code_challenge_method", "nonce")...)
	faults = append(faults, checkMembers("/tokenQuery", o.TokenQuery)...)
	faults = append(faults, checkMembers("/tokenForm", o.TokenForm, "grant_type", "code", "code_verifier", "redirect_uri", "refresh_token")...)
	faults = append(faults, checkHeaders("/headers", o.Headers)...)
	return append(faults, o.checkUse(sca)...)
}

// checkUse reports what does not fit the way to sign.
func (o OAuth) checkUse(sca string) (faults strictjson.Faults) {
	loginFirst := strings.HasSuffix(sca, afterLogin)
	known := o.Metadata != "" || o.TokenEndpoint != "" && (o.AuthorizationEndpoint != "" || !loginFirst)
	switch {
	case loginFirst && !known:
		faults.Add("/metadata", "is missing: a login before the consent needs metadata, or authorizationEndpoint and tokenEndpoint")
	case o.ClientToken && !known:
		faults.Add("/metadata", "is missing: clientToken needs metadata or tokenEndpoint")
	case sca == scaDecoupled && !o.ClientToken && !o.isZero():
		faults.Add("", "is not used: profile/sca says that nobody signs by OAuth")
	}
	if loginFirst && strings.Contains(o.Scope, consentIDMember) {
		faults.Add("/scope", "must not contain "+consentIDMember+": the login is before the consent")
	}
	return faults
}

// checkMembers checks parameters that are added to a request. The names in ours are those
// of parameters that protect it.
func checkMembers(at string, members map[string]string, ours ...string) (faults strictjson.Faults) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name == "" || slices.Contains(ours, name) || strings.ContainsFunc(name+members[name], isControl) {
			faults.Add(at+"/"+jsontext.EscapeToken(name), "must be a parameter that is not set here, and a value without control characters")
		}
	}
	return faults
}

// addresses are the addresses of the configuration whose hosts may be called.
func (o OAuth) addresses(baseURL string) []string {
	return append([]string{baseURL, o.Metadata, o.TokenEndpoint, o.RevocationEndpoint}, o.Hosts...)
}

// maxClientSecret is more than any client secret, in bytes.
const maxClientSecret = 4096

// secret reads the client secret. No fault repeats it.
func (o OAuth) secret(dir string) (oauth.Secret, strictjson.Faults) {
	var faults strictjson.Faults
	text, at := os.Getenv(o.SecretVariable), "/oauth/secretVariable"
	if o.SecretFile != "" {
		path := o.SecretFile
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		content, err := os.ReadFile(path)
		if at = "/oauth/secretFile"; err != nil {
			faults.Add(at, "cannot be read: "+httpclient.WithoutPath(err).Error())
			return "", faults
		}
		text = string(content)
	}
	if text = strings.TrimSpace(text); text == "" || len(text) > maxClientSecret || strings.ContainsFunc(text, isControl) {
		faults.Add(at, "must have a client secret on one line")
	}
	return oauth.Secret(text), faults
}

// auth returns how our client proves who it is.
func (o OAuth) auth(dir string, keys Keys) (oauth.Auth, strictjson.Faults) {
	switch o.ClientAuth {
	case authBasic, authPost:
		secret, faults := o.secret(dir)
		if o.ClientAuth == authBasic {
			return oauth.SecretBasic{Secret: secret}, faults
		}
		return oauth.SecretPost{Secret: secret}, faults
	case authJWT:
		var faults strictjson.Faults
		if keys.QSEAL == nil {
			faults.Add("/certificates/qsealCert", "is missing: its key signs the privateKeyJWT of /oauth")
			return nil, faults
		}
		signer, err := oauth.NewSigner(keys.QSEAL.PrivateKey, "", o.KeyID)
		if err != nil {
			faults.Add("/certificates/qsealCert", "cannot sign a privateKeyJWT: "+err.Error())
		}
		return oauth.PrivateKeyJWT{Signer: signer, Audience: o.Audience}, faults
	}
	return oauth.TLSAuth{}, nil
}

// clientID returns our client id: that of the configuration, or the organizationIdentifier
// of the certificate. It is empty if there is neither.
func (o OAuth) clientID(qwac *tls.Certificate) string {
	if o.ClientID != "" || qwac == nil || len(qwac.Certificate) == 0 {
		return o.ClientID
	}
	cert, err := x509.ParseCertificate(qwac.Certificate[0])
	if err != nil {
		return ""
	}
	return eidas.OrganizationIdentifier(cert)
}
