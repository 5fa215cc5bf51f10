package sandbox_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// client is an OAuth2 client that somebody else wrote, with the TPP's certificate.
type client struct {
	*tpp
	oauth2.Config
	verifier string
}

// metadata reads the metadata at an address.
func (p *tpp) metadata(address string) (m struct {
	Issuer    string   `json:"issuer"`
	Authorize string   `json:"authorization_endpoint"`
	Token     string   `json:"token_endpoint"`
	Methods   []string `json:"code_challenge_methods_supported"`
	Iss       bool     `json:"authorization_response_iss_parameter_supported"`
}) {
	p.Helper()
	a, err := p.http.Get(address)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	if err := json.NewDecoder(a.Body).Decode(&m); err != nil || a.StatusCode != 200 {
		p.Fatalf("metadata: %d %v", a.StatusCode, err)
	}
	return m
}

// client returns a client with the endpoints at which the bank has its server.
func (p *tpp) client(authorize, token string, scopes ...string) *client {
	return &client{p, oauth2.Config{
		ClientID: organization, RedirectURL: back, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: authorize, TokenURL: token, AuthStyle: oauth2.AuthStyleInParams},
	}, oauth2.GenerateVerifier()}
}

// organization is the organizationIdentifier of the sandbox's TPP (docs/sandbox.md).
const organization = "PSDSE-FINA-44059"

func certificates(c ...tls.Certificate) []tls.Certificate { return c }

func (c *client) ctx() context.Context {
	return context.WithValue(c.Context(), oauth2.HTTPClient, c.http)
}

func (c *client) link(state string) string {
	return c.AuthCodeURL(state, oauth2.S256ChallengeOption(c.verifier))
}

// exchange redeems a code and sets the bearer token of the TPP.
func (c *client) exchange(code string) (*oauth2.Token, error) {
	t, err := c.Exchange(c.ctx(), code, oauth2.VerifierOption(c.verifier))
	if err == nil {
		c.bearer = t.AccessToken
	}
	return t, err
}

// refresh redeems a refresh token.
func (c *client) refresh(token string) (*oauth2.Token, error) {
	t, err := c.TokenSource(c.ctx(), &oauth2.Token{RefreshToken: token, Expiry: time.Unix(1, 0), AccessToken: "old"}).Token()
	if err == nil {
		c.bearer = t.AccessToken
	}
	return t, err
}

func wantOAuthError(t testing.TB, err error, code string) {
	t.Helper()
	var failed *oauth2.RetrieveError
	if !errors.As(err, &failed) || failed.ErrorCode != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// begin creates a consent and returns the client that asks for its token.
func (p *tpp) beginOAuth() (created response, c *client) {
	p.Helper()
	created = p.create(allAccounts)
	m := p.metadata(created.text("_links", "scaOAuth", "href"))
	return created, p.client(m.Authorize, m.Token, "AIS:"+created.text("consentId"))
}
