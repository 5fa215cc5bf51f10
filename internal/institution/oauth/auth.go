package oauth

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"samla/internal/institution"
)

// Auth is how our client proves who it is to a token endpoint. The set is closed:
// TLSAuth, SecretBasic, SecretPost and PrivateKeyJWT. A bank that wants a signature over the
// HTTP message (Nordea) takes TLSAuth: the client of its host signs each request.
type Auth interface {
	// prove adds the proof to a request.
	prove(c Config, form url.Values, h http.Header, now time.Time) error
	// rejected is the reason to report if the server does not accept the proof.
	rejected() institution.Reason
}

// TLSAuth proves the client by its certificate in TLS (RFC 8705 2): the form has the
// client_id only. It is also for a client that proves itself in headers.
type TLSAuth struct{}

func (TLSAuth) prove(c Config, form url.Values, _ http.Header, _ time.Time) error {
	form.Set("client_id", c.ID)
	return nil
}

func (TLSAuth) rejected() institution.Reason { return institution.OurCertificateRejected }

// SecretBasic sends the client_id and secret by HTTP Basic, both in form encoding
// (RFC 6749 2.3.1).
type SecretBasic struct{ Secret Secret }

func (a SecretBasic) prove(c Config, _ url.Values, h http.Header, _ time.Time) error {
	pair := url.QueryEscape(c.ID) + ":" + url.QueryEscape(a.Secret.Reveal())
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	return nil
}

func (SecretBasic) rejected() institution.Reason { return institution.OurCredentialsRejected }

// SecretPost sends the client_id and secret in the form (RFC 6749 2.3.1).
type SecretPost struct{ Secret Secret }

func (a SecretPost) prove(c Config, form url.Values, _ http.Header, _ time.Time) error {
	form.Set("client_id", c.ID)
	form.Set("client_secret", a.Secret.Reveal())
	return nil
}

func (SecretPost) rejected() institution.Reason { return institution.OurCredentialsRejected }

// assertionLife is how long a client assertion is valid. RFC 7523 3 leaves it to us; banks
// refuse more than some minutes.
const assertionLife = 2 * time.Minute

// PrivateKeyJWT sends a signed assertion (RFC 7523 2.2, OpenID Connect Core 9), a new one
// with each request.
type PrivateKeyJWT struct {
	Signer   *Signer
	Audience string    // "" = the address of the token endpoint
	Random   io.Reader // of jti; nil = the machine's
}

func (a PrivateKeyJWT) prove(c Config, form url.Values, _ http.Header, now time.Time) error {
	id, err := NewSecret(a.Random)
	if err != nil {
		return err
	}
	audience := a.Audience
	if audience == "" {
		audience = c.Endpoint.Address()
	}
	assertion, err := a.Signer.Sign(map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": audience, "jti": id.Reveal(),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if err != nil {
		return fmt.Errorf("oauth: client assertion: %w", err)
	}
	form.Set("client_id", c.ID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion.Reveal())
	return nil
}

func (PrivateKeyJWT) rejected() institution.Reason { return institution.OurSignatureRejected }
