package obie

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"time"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/signed"

	"github.com/go-jose/go-jose/v4/jwt"
)

const maxFormBytes = 64 << 10

// oauthError is an error of RFC 6749 5.2. Its text contains nothing of the request.
type oauthError struct {
	status int
	code   string
	text   string
}

func invalidRequest(text string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_request", text}
}

func invalidClient(text string) *oauthError {
	return &oauthError{http.StatusUnauthorized, "invalid_client", text}
}

func invalidGrant(text string) *oauthError {
	return &oauthError{http.StatusBadRequest, "invalid_grant", text}
}

// tokenAnswer is the answer of RFC 6749 5.1, with an id_token.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"`
}

// grants are what the token endpoint does, by grant_type.
var grants = map[string]func(*Bank, url.Values, *Client, string) (tokenAnswer, *oauthError){
	"client_credentials": (*Bank).clientCredentials, "authorization_code": (*Bank).exchange, "refresh_token": (*Bank).refresh,
}

// tokenExchange is a request to the token endpoint. Its kind is "token" and the grant type.
func (b *Bank) tokenExchange(w http.ResponseWriter, r *http.Request) exchange {
	form, e := readForm(w, r)
	use, known := grants[form.Get("grant_type")]
	x := exchange{kind: "token unknown"}
	switch {
	case e != nil:
	case !known:
		e = &oauthError{http.StatusBadRequest, "unsupported_grant_type", ""}
	default:
		x.kind = "token " + form.Get("grant_type")
	}
	x.serve = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if e != nil {
			e.write(w)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		client, thumbprint, e := b.authenticate(r, form)
		if e != nil {
			e.write(w)
			return
		}
		if answer, e := use(b, form, client, thumbprint); e != nil {
			e.write(w)
		} else {
			writeJSON(w, http.StatusOK, answer)
		}
	}
	return x
}

func (e *oauthError) write(w http.ResponseWriter) {
	if e.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	body := map[string]string{"error": e.code}
	if e.text != "" {
		body["error_description"] = e.text
	}
	writeJSON(w, e.status, body)
}

func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *oauthError) {
	if r.Method != http.MethodPost {
		return nil, &oauthError{http.StatusMethodNotAllowed, "invalid_request", "POST only"}
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be a form")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if r.ParseForm() != nil {
		return nil, invalidRequest("the form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, invalidRequest("a parameter is repeated")
		}
	}
	return r.PostForm, nil
}

// authenticate returns the client of a request and the thumbprint of its certificate. The
// caller holds mu.
func (b *Bank) authenticate(r *http.Request, form url.Values) (*Client, string, *oauthError) {
	cert, e := b.certificate(r)
	if e != "" {
		return nil, "", invalidClient(e)
	}
	id, text := form.Get("client_id"), form.Get("client_assertion")
	if b.ClientAuth == TLSClientAuth {
		client := b.clients[id]
		if client == nil || text != "" || client.Subject != cert.Subject.String() {
			return nil, "", invalidClient("the certificate is not that of the client")
		}
		return client, thumbprint(cert), nil
	}
	if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return nil, "", invalidClient("client_assertion_type must be jwt-bearer")
	}
	client := b.clients[signed.AssertionClient(text)]
	if client == nil || id != "" && id != client.ID {
		return nil, "", invalidClient("unknown client")
	}
	now := b.Clock.Now()
	a, err := signed.ReadAssertion(text, client.ID, client.Keys, []string{b.Issuer() + tokenPath, b.Issuer()}, now)
	if err != nil {
		return nil, "", invalidClient(err.Error())
	}
	for jti, until := range b.jtis {
		if !now.Before(until) {
			delete(b.jtis, jti)
		}
	}
	if _, used := b.jtis[client.ID+" "+a.ID]; used {
		return nil, "", invalidClient("the assertion was used before")
	}
	b.jtis[client.ID+" "+a.ID] = a.Expires
	return client, thumbprint(cert), nil
}

// certificate returns the client certificate of a connection, or a text about what is
// wrong with it.
func (b *Bank) certificate(r *http.Request) (*x509.Certificate, string) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, "a client certificate is required"
	}
	cert := r.TLS.PeerCertificates[0]
	opts := x509.VerifyOptions{
		Roots: b.Roots, Intermediates: x509.NewCertPool(), CurrentTime: b.Clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range r.TLS.PeerCertificates[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := cert.Verify(opts); err != nil {
		return nil, "the client certificate is not valid here"
	}
	return cert, ""
}

// thumbprint is x5t#S256 of a certificate (RFC 8705 3.1).
func thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (b *Bank) clientCredentials(form url.Values, client *Client, thumbprint string) (tokenAnswer, *oauthError) {
	if form.Get("scope") != "accounts" {
		return tokenAnswer{}, &oauthError{http.StatusBadRequest, "invalid_scope", "scope must be accounts"}
	}
	t := grant.Token{Kind: grant.Client, Client: client.ID, Thumbprint: thumbprint, Expires: b.Clock.Now().Add(b.AccessLifetime)}
	text, e := b.issue(t)
	return b.answer(text, "", "", "accounts"), e
}

// exchange gives tokens for a code. Tokens of an earlier authorisation of the consent die.
func (b *Bank) exchange(form url.Values, client *Client, thumbprint string) (tokenAnswer, *oauthError) {
	code := b.codes[grant.Hash(form.Get("code"))]
	if code == nil {
		return tokenAnswer{}, invalidGrant("unknown code")
	}
	consent := b.consent(code.Consent)
	replayed := code.Used
	next, granted := code.Redeem(grant.Exchange{Client: client.ID, RedirectURI: form.Get("redirect_uri"), Verifier: form.Get("code_verifier")}, *consent, b.Clock.Now())
	*code = next
	b.write(entry{Code: code})
	if !granted {
		if replayed && consent.Generation == code.Generation+1 && client.ID == code.Client {
			_ = b.apply(consent, grant.Ended{}) // RFC 6749 4.1.2: tokens of a code that comes twice are revoked
		}
		return tokenAnswer{}, invalidGrant("the code was used, is too old, or is that of another request")
	}
	if b.apply(consent, grant.Issued{}) != nil {
		return tokenAnswer{}, invalidGrant("the consent has ended")
	}
	until := consent.SCA.Add(b.RefreshLifetime)
	return b.issuePair(consent, client, thumbprint, code.Nonce, code.ACR, until)
}

// refresh gives new tokens for a refresh token.
func (b *Bank) refresh(form url.Values, client *Client, thumbprint string) (tokenAnswer, *oauthError) {
	t := b.tokens[grant.Hash(form.Get("refresh_token"))]
	if t == nil || t.Kind != grant.Refresh || t.Client != client.ID {
		return tokenAnswer{}, invalidGrant("unknown refresh token")
	}
	now := b.Clock.Now()
	consent := b.consent(t.Consent)
	if !t.Lives(*consent, b.RefreshGrace, now) {
		return tokenAnswer{}, invalidGrant("the refresh token is dead")
	}
	if b.KeepRefresh {
		access, e := b.issue(b.accessToken(consent, client, thumbprint))
		return b.answer(access, "", "", "openid accounts"), e
	}
	if t.Replaced.IsZero() {
		t.Replaced = now
		b.write(entry{Token: t})
	}
	return b.issuePair(consent, client, thumbprint, "", signed.ACRs[0], t.Expires)
}

// issuePair issues an access token and a refresh token that ends at until.
func (b *Bank) issuePair(consent *grant.Consent, client *Client, thumbprint, nonce, acr string, until time.Time) (tokenAnswer, *oauthError) {
	access, e := b.issue(b.accessToken(consent, client, thumbprint))
	if e != nil {
		return tokenAnswer{}, e
	}
	refresh, e := b.issue(grant.Token{Kind: grant.Refresh, Client: client.ID, Consent: consent.ID, Generation: consent.Generation, Expires: until})
	if e != nil {
		return tokenAnswer{}, e
	}
	id := signed.NewIDToken(b.Issuer(), client.ID, consent.ID, nonce, acr, consent.SCA, b.Clock.Now())
	id.AccessHash, id.RefreshExpires = signed.HalfHash(access), jwt.NewNumericDate(until)
	key, err := b.key()
	if err != nil {
		return tokenAnswer{}, serverError()
	}
	text, err := id.Sign(key)
	if err != nil {
		return tokenAnswer{}, serverError()
	}
	return b.answer(access, refresh, text, "openid accounts"), nil
}

func serverError() *oauthError {
	return &oauthError{http.StatusInternalServerError, "server_error", ""}
}

func (b *Bank) accessToken(consent *grant.Consent, client *Client, thumbprint string) grant.Token {
	return grant.Token{
		Kind: grant.Access, Client: client.ID, Consent: consent.ID, Generation: consent.Generation, Thumbprint: thumbprint,
		Expires: b.Clock.Now().Add(b.AccessLifetime),
	}
}

// issue stores a token under the hash of a new secret and returns the secret.
func (b *Bank) issue(t grant.Token) (string, *oauthError) {
	text, err := b.secret()
	if err != nil {
		return "", serverError()
	}
	t.Hash = grant.Hash(text)
	b.tokens[t.Hash] = &t
	b.write(entry{Token: &t})
	return text, nil
}

func (b *Bank) answer(access, refresh, id, scope string) tokenAnswer {
	a := tokenAnswer{AccessToken: access, TokenType: "Bearer", RefreshToken: refresh, IDToken: id, Scope: scope}
	if !b.NoExpiresIn {
		a.ExpiresIn = int(b.AccessLifetime / time.Second)
	}
	return a
}
