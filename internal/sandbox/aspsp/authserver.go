package aspsp

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/oauth"
)

// loginLife is how long a login before any call waits for the person.
const loginLife = 15 * time.Minute

// login is a login before any other call.
type login struct {
	ID       string        `json:"id"`
	Until    time.Time     `json:"until"`
	Request  oauth.Request `json:"request"`
	ReturnTo string        `json:"returnTo,omitempty"`
}

// authenticate implements oauth.Config.Authenticate.
func (b *Bank) authenticate(r *http.Request) (oauth.Client, *oauth.Error) {
	s := b.Signing.Server
	organization, f := b.tpps.Identify(r.TLS)
	if f != nil {
		return oauth.Client{}, oauth.InvalidClient(f.Text)
	}
	if r.URL.Path == b.base+s.Token && !matches(s.TokenQuery, r.URL.Query()) {
		return oauth.Client{}, &oauth.Error{Code: "invalid_request", Text: "a query parameter is missing"}
	}
	c := oauth.Client{ID: organization, Certificate: oauth.Thumbprint(r.TLS.PeerCertificates[0].Raw)}
	if s.ClientID != "" {
		c.ID = s.ClientID
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("client_secret")), []byte(s.Secret)) != 1 {
		return oauth.Client{}, oauth.InvalidClient("client_secret is wrong")
	}
	return c, nil
}

// matches reports whether the query has these parameters; an empty value means any.
func matches(want map[string]string, query url.Values) bool {
	for name, value := range want {
		if got := query[name]; len(got) != 1 || got[0] == "" || value != "" && got[0] != value {
			return false
		}
	}
	return true
}

// metadata answers with the metadata of the authorization server.
func (b *Bank) metadata(w http.ResponseWriter, r *http.Request) int {
	issuer := b.issuer(r)
	server, revoke := b.Signing.Server, ""
	if server.Revoke != "" {
		revoke = issuer + server.Revoke
	}
	body, _ := json.Marshal(b.server.Metadata(issuer, issuer+server.Authorize, issuer+server.Token, revoke)) // strings and lists
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // an error means that the connection is closed
	return http.StatusOK
}

func (b *Bank) issuer(r *http.Request) string { return "https://" + r.Host + b.base }

// authorize handles the authorization request of a browser.
func (b *Bank) authorize(w http.ResponseWriter, r *http.Request) int {
	query := r.URL.Query()
	if !matches(b.Signing.Server.Query, query) {
		return plain(w, http.StatusBadRequest, "A parameter is missing.")
	}
	rules := oauth.Rules{Issuer: b.issuer(r), Redirect: b.consentRedirect(query.Get("scope")), Scope: consentScope}
	if b.preStep() {
		rules.Redirect, rules.Scope = b.loginRedirect, b.loginScope
	}
	request, refused := b.server.Authorize(query, rules)
	switch {
	case refused != nil && request == (oauth.Request{}):
		return plain(w, http.StatusBadRequest, "The request is not valid: "+refused.Text+".")
	case refused != nil:
		return sendTo(w, request.Failure(refused))
	case b.preStep():
		return b.newLogin(w, request)
	}
	return b.authorizeConsent(w, request)
}

func sendTo(w http.ResponseWriter, address string) int {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusFound)
	return http.StatusFound
}

func unknownClient() *oauth.Error {
	return &oauth.Error{Code: "unauthorized_client", Text: "the client or its address is not known"}
}

func (b *Bank) loginRedirect(clientID, redirectURI string) *oauth.Error {
	s := b.Signing.Server
	allowed := s.RedirectURIs == nil && isReturnAddress(redirectURI)
	for _, uri := range s.RedirectURIs {
		allowed = allowed || uri == redirectURI
	}
	if !allowed || s.ClientID != "" && clientID != s.ClientID {
		return unknownClient()
	}
	return nil
}

func (b *Bank) loginScope(_, scope string) *oauth.Error {
	if scope != b.Signing.Server.Scope {
		return &oauth.Error{Code: "invalid_scope", Text: "the scope is " + b.Signing.Server.Scope}
	}
	return nil
}

// consentOf returns the consent in a scope AIS:<consent id>, which may be written in small
// letters and may be followed by offline_access (docs/reference/families.md 2.3).
func (b *Bank) consentOf(scope string) *consentRecord {
	first, rest, _ := strings.Cut(scope, " ")
	kind, id, _ := strings.Cut(first, ":")
	if !strings.EqualFold(kind, "AIS") || rest != "" && rest != "offline_access" {
		return nil
	}
	return b.consents[strings.ToLower(id)]
}

// consentRedirect returns the rule that the client is the consent's TPP, and the address
// that of the consent.
func (b *Bank) consentRedirect(scope string) func(string, string) *oauth.Error {
	return func(clientID, redirectURI string) *oauth.Error {
		b.mu.Lock()
		defer b.mu.Unlock()
		h := b.consentOf(scope)
		if h == nil || h.TPP != clientID || len(h.authorisations) == 0 || h.authorisations[0].Page.RedirectURI != redirectURI {
			return unknownClient()
		}
		return nil
	}
}

// consentScope accepts every scope: consentRedirect has found its consent.
func consentScope(string, string) *oauth.Error { return nil }

// authorizeConsent sends the browser to the page of the consent's authorisation. The same
// request comes to the same login; another one starts again, unless the login has ended.
func (b *Bank) authorizeConsent(w http.ResponseWriter, request oauth.Request) int {
	id, err := b.newID()
	if err != nil {
		return plain(w, http.StatusInternalServerError, "Technical error.")
	}
	b.mu.Lock()
	h := b.consentOf(request.Scope)
	b.refresh(h)
	a, ended := h.authorisations[0], false
	if a.Page.Request == nil || *a.Page.Request != request {
		ended = a.Status.Final() || a.Status == Unconfirmed
		if !ended {
			page := *a.Page
			if page.Request != nil {
				delete(b.visits, page.Visit)
				page.Visit = id
				b.visits[id] = a
			}
			page.Request, a.Page = &request, &page
			b.writeEntry(entry{Authorisation: a})
		}
	}
	visit := a.Page.Visit
	b.mu.Unlock()
	if ended {
		return sendTo(w, request.Failure(&oauth.Error{Code: "invalid_scope", Text: "the consent does not wait for its authorisation"}))
	}
	b.pages.Arrive(w, visit)
	return http.StatusFound
}

// newLogin sends the browser to the page of a new login.
func (b *Bank) newLogin(w http.ResponseWriter, request oauth.Request) int {
	id, err := b.newID()
	l := &login{ID: id, Until: b.Clock.Now().Add(loginLife), Request: request}
	b.mu.Lock()
	if err == nil {
		err = b.journal.Write(entry{Login: l})
	}
	if err == nil {
		for old, o := range b.logins {
			if b.Clock.Now().Sub(o.Until) >= dayLength {
				delete(b.logins, old)
			}
		}
		b.logins[id] = l
	}
	b.mu.Unlock()
	if err != nil {
		b.Log.Error("sandbox bank", "bank", b.Company, "err", err)
		return plain(w, http.StatusInternalServerError, "Technical error.")
	}
	b.pages.Arrive(w, id)
	return http.StatusFound
}

// decideLogin ends a login before any call. The subject of its tokens is the person. The
// caller holds mu.
func (b *Bank) decideLogin(l *login, d bankpage.Decision) (string, error) {
	if l.ReturnTo != "" {
		return l.ReturnTo, nil
	}
	next := *l
	if d.Outcome == bankpage.Approved {
		code, err := b.server.Code(l.Request, d.PersonalNumber)
		if err != nil {
			return "", err
		}
		next.ReturnTo = l.Request.Success(code)
	} else {
		next.ReturnTo = l.Request.Failure(denied(d.Outcome))
	}
	if err := b.journal.Write(entry{Login: &next}); err != nil {
		return "", err
	}
	b.logins[l.ID] = &next
	return next.ReturnTo, nil
}

// checkBearer checks the token of a call for a consent: with OAuth it must be the consent's,
// after a login before any call that of the person. The caller need not hold mu.
func (c *call) checkBearer(consent Consent) *apiError {
	switch {
	case c.preStep():
		if consent.PSUID != c.person {
			return unauthorized("TOKEN_INVALID", "the token is another person's")
		}
	case c.Approach == OAuth:
		g, f := c.bearer()
		if f == nil && g.Subject != consent.ID {
			f = unauthorized("TOKEN_INVALID", "the token is another consent's")
		}
		return f
	}
	return nil
}

// bearer returns the grant of the call's token.
func (c *call) bearer() (oauth.Grant, *apiError) {
	g, err := c.server.Check(c.r.Header.Get("Authorization"), c.r.TLS.PeerCertificates)
	switch err {
	case nil:
		return g, nil
	case oauth.ErrExpired:
		return g, unauthorized("TOKEN_EXPIRED", "the token has expired")
	case oauth.ErrMissing:
		return g, unauthorized("TOKEN_INVALID", "a bearer token is required")
	}
	return g, unauthorized("TOKEN_INVALID", "the token is not valid")
}
