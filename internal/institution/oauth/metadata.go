package oauth

import (
	"context"
	"net/url"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/lru"
)

// maxDocument bounds a document of a server: its metadata, or its keys.
const maxDocument = 512 << 10

// Metadata describes an authorization server (RFC 8414 2, OpenID Connect Discovery 3).
// Addresses that are not https are left out.
type Metadata struct {
	Issuer                string
	AuthorizationEndpoint string
	TokenEndpoint         string
	RevocationEndpoint    string
	JWKSURI               string
	// AliasTokenEndpoint and AliasRevocationEndpoint are those for clients with a
	// certificate, where they differ (RFC 8705 5).
	AliasTokenEndpoint      string
	AliasRevocationEndpoint string
	// IssuerInAnswers is authorization_response_iss_parameter_supported (RFC 9207 3).
	IssuerInAnswers bool
}

// Servers reads and caches the metadata of servers. It is safe for concurrent use.
type Servers struct {
	hosts Hosts
	cache *lru.Cache[serverKey, Metadata]
}

type serverKey struct{ address, issuer string }

// metadataAge is how long metadata is used. A server that changes an endpoint keeps the
// older one for longer than that.
const metadataAge = time.Hour

// NewServers returns an empty cache for the servers at the hosts of one bank.
func NewServers(hosts Hosts, clk clock.Clock) *Servers {
	return &Servers{hosts, lru.New[serverKey, Metadata](clk, 16, metadataAge)}
}

// Metadata returns the document at exactly the address that was given: a bank's link to it
// does not follow the rules of RFC 8414 3 (docs/reference/families.md 2.1). issuer is the
// issuer that it must have; "" = the bank's documentation names none, and any https address
// will do, because the document comes from the bank's own host.
// Errors: *institution.Error: ForeignAddress, MalformedResponse if the issuer differs, and
// those of the exchange.
func (s *Servers) Metadata(ctx context.Context, address, issuer string) (Metadata, error) {
	return s.cache.Get(ctx, serverKey{address, issuer}, func(ctx context.Context) (Metadata, error) {
		e, err := s.hosts.Endpoint(address)
		if err != nil {
			return Metadata{}, err
		}
		body, err := e.GET(ctx, maxDocument)
		if err != nil {
			return Metadata{}, err
		}
		return ParseMetadata(body, issuer)
	})
}

// ParseMetadata reads a metadata document. Errors: as of Servers.Metadata.
func ParseMetadata(body []byte, issuer string) (Metadata, error) {
	members, ok := object(body)
	if !ok {
		return Metadata{}, &institution.Error{Kind: institution.MalformedResponse, Detail: "the metadata must be a JSON object"}
	}
	aliases, _ := members["mtls_endpoint_aliases"].(map[string]any)
	m := Metadata{
		AuthorizationEndpoint:   addressOf(members["authorization_endpoint"]),
		TokenEndpoint:           addressOf(members["token_endpoint"]),
		RevocationEndpoint:      addressOf(members["revocation_endpoint"]),
		JWKSURI:                 addressOf(members["jwks_uri"]),
		AliasTokenEndpoint:      addressOf(aliases["token_endpoint"]),
		AliasRevocationEndpoint: addressOf(aliases["revocation_endpoint"]),
	}
	m.Issuer, _ = members["issuer"].(string)
	m.IssuerInAnswers, _ = members["authorization_response_iss_parameter_supported"].(bool)
	switch {
	// The comparison is of characters (RFC 8414 3.3): a server that may choose its
	// issuer could give itself out for another.
	case issuer != "" && m.Issuer != issuer:
		return Metadata{}, &institution.Error{Kind: institution.MalformedResponse, Detail: "issuer must be that of the configuration"}
	case checkAddress(m.Issuer) != nil || strings.Contains(m.Issuer, "?"):
		return Metadata{}, &institution.Error{Kind: institution.MalformedResponse, Detail: "issuer must be an https address"}
	}
	return m, nil
}

func addressOf(v any) string {
	s, _ := v.(string)
	if checkAddress(s) != nil {
		return ""
	}
	return s
}

// WellKnown returns the address of the metadata of an issuer: RFC 8414 3.1 puts its name
// before the path of the issuer.
func WellKnown(issuer string) string { return wellKnown(issuer, "oauth-authorization-server", true) }

// OpenIDWellKnown is WellKnown for OpenID Connect Discovery 4, which puts its name behind
// the path.
func OpenIDWellKnown(issuer string) string { return wellKnown(issuer, "openid-configuration", false) }

func wellKnown(issuer, name string, before bool) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	own, path := u.Scheme+"://"+u.Host, strings.TrimSuffix(u.EscapedPath(), "/")
	if before {
		return own + "/.well-known/" + name + path
	}
	return own + path + "/.well-known/" + name
}
