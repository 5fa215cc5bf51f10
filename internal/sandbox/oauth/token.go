package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const maxFormBytes = 64 << 10

// answer is a token answer (RFC 6749 5.1).
type answer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

// Token is the handler of the token endpoint (RFC 6749 4.1.3, 6). The kinds of its calls
// are "token " and the grant type.
func (s *Server) Token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	kind := "token unknown"
	if err := r.ParseForm(); err == nil {
		switch t := r.PostForm.Get("grant_type"); t {
		case "authorization_code", "refresh_token":
			kind = "token " + t
		}
	}
	fault := s.takeFault()
	if fault == Unavailable || fault == ServerError || fault == Denies {
		s.config.Calls.Add(kind, s.refuse(w, fault))
		return
	}
	a, err := s.token(r)
	var known *Error
	switch {
	case fault == Lost:
		s.config.Calls.Add(kind, 0)
		panic(http.ErrAbortHandler) // closes the connection
	case errors.As(err, &known):
		s.config.Calls.Add(kind, s.writeError(w, known, kind == codeKind))
	case err != nil:
		s.config.Log.Error("sandbox bank: token endpoint", "err", err)
		s.config.Calls.Add(kind, s.writeError(w, &Error{Code: "server_error", Status: http.StatusInternalServerError}, false))
	default:
		s.config.Calls.Add(kind, http.StatusOK)
		body, _ := json.Marshal(a) // strings and a number
		if fault == Garbled {
			body = body[:len(body)/2]
		}
		head(w, http.StatusOK)
		_, _ = w.Write(body) // an error means that the connection is closed
	}
}

func head(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	w.WriteHeader(status)
}

// refuse answers as a server that is out of order, and returns the status.
func (s *Server) refuse(w http.ResponseWriter, f Fault) int {
	switch f {
	case Denies:
		return s.writeError(w, invalidGrant("the grant is not valid"), false)
	case Unavailable:
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("<html><body>We will be back soon.</body></html>")) // as in Token
		return http.StatusServiceUnavailable
	}
	w.WriteHeader(http.StatusInternalServerError)
	return http.StatusInternalServerError
}

// codeKind is the kind of a call with a code.
const codeKind = "token authorization_code"

// writeError answers with an error (RFC 6749 5.2) and returns the status. ofCode says that
// a code was sent.
func (s *Server) writeError(w http.ResponseWriter, e *Error, ofCode bool) int {
	status := or(e.Status, http.StatusBadRequest)
	body := map[string]any{"error": e.Code}
	if e.Text != "" {
		body["error_description"] = e.Text
	}
	if ofCode && s.Policy().InvalidRequest && e.Code == "invalid_grant" {
		body = map[string]any{
			"error": "invalid_request", "error_description": e.Text, "detail": e.Text, "type": "error",
			"title": "Error", "status": status, "userMessage": map[string]string{"title": "Error", "detail": "Try again."},
		}
	}
	if e.Code == "invalid_client" {
		w.Header().Set("WWW-Authenticate", "TLS-Certificate")
	}
	text, _ := json.Marshal(body) // strings and a number
	head(w, status)
	_, _ = w.Write(text) // as in Token
	return status
}

// token carries out a token request. The error is an *Error, or an internal one.
func (s *Server) token(r *http.Request) (answer, error) {
	c, refused := s.client(r)
	if refused != nil {
		return answer{}, refused
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		return s.redeem(c, r)
	case "refresh_token":
		return s.refresh(c, r)
	case "":
		return answer{}, invalidRequest("grant_type is required")
	}
	return answer{}, &Error{Code: "unsupported_grant_type", Text: "grant_type is authorization_code or refresh_token"}
}

// client checks the form of a request, and who sent it.
func (s *Server) client(r *http.Request) (Client, *Error) {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch {
	case r.Method != http.MethodPost:
		return Client{}, &Error{Code: "invalid_request", Text: "use POST", Status: http.StatusMethodNotAllowed}
	case !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded"):
		return Client{}, invalidRequest("the body is not a form")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return Client{}, invalidRequest("a parameter is given twice")
		}
	}
	c, refused := s.config.Authenticate(r)
	if refused == nil {
		if id := r.PostForm.Get("client_id"); id != "" && id != c.ID {
			refused = InvalidClient("client_id is not the client that authenticates")
		}
	}
	return c, refused
}

// Revoke is the handler of the revocation endpoint (RFC 7009 2). The kind of its calls is
// "revoke". A token that is not known, or is another client's, is no error.
func (s *Server) Revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	_ = r.ParseForm() // client reports what is missing
	c, refused := s.client(r)
	if refused == nil && r.PostForm.Get("token") == "" {
		refused = invalidRequest("token is required")
	}
	if refused != nil {
		s.config.Calls.Add("revoke", s.writeError(w, refused, false))
		return
	}
	hash := hashOf(r.PostForm.Get("token"))
	s.mu.Lock()
	var err error
	if g, known := s.find(hash); known && g.Request.ClientID == c.ID && g.Code != hash {
		err = s.store(g.revoked(hash, s.config.Clock.Now()))
	}
	s.mu.Unlock()
	if err != nil {
		s.config.Log.Error("sandbox bank: revocation endpoint", "err", err)
		s.config.Calls.Add("revoke", s.writeError(w, &Error{Code: "server_error", Status: http.StatusInternalServerError}, false))
		return
	}
	s.config.Calls.Add("revoke", http.StatusOK)
	w.WriteHeader(http.StatusOK)
}

func (s *Server) redeem(c Client, r *http.Request) (answer, error) {
	form := r.PostForm
	policy := s.Policy()
	if form.Get("code") == "" || form.Get("redirect_uri") == "" && !policy.NoMethod || form.Get("code_verifier") == "" && !policy.NoPKCE {
		return answer{}, invalidRequest("code, redirect_uri and code_verifier are required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.find(hashOf(form.Get("code")))
	if !ok || g.Code != hashOf(form.Get("code")) {
		return answer{}, invalidGrant("no such code")
	}
	redirectURI := form.Get("redirect_uri")
	if redirectURI == "" {
		redirectURI = g.Request.RedirectURI // optional here: docs/reference/families.md 2.6
	}
	next, refused := g.redeem(c, redirectURI, form.Get("code_verifier"), s.config.Clock.Now())
	if refused != nil {
		return answer{}, s.refused(next, refused)
	}
	a := answer{Scope: g.Request.Scope}
	if s.policy.Refresh != NoRefresh {
		var err error
		if a.RefreshToken, err = s.secret(); err != nil {
			return answer{}, err
		}
		next.Refresh = hashOf(a.RefreshToken)
	}
	return s.give(next, a)
}

// refused stores what a failed attempt has changed, and returns its error.
func (s *Server) refused(next Grant, e *Error) error {
	if err := s.store(next); err != nil {
		return err
	}
	return e
}

func (s *Server) refresh(c Client, r *http.Request) (answer, error) {
	token := r.PostForm.Get("refresh_token")
	if token == "" {
		return answer{}, invalidRequest("refresh_token is required")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	used := hashOf(token)
	g, ok := s.find(used)
	if !ok || g.Code == used || isAccess(g, used) {
		return answer{}, invalidGrant("no such refresh token")
	}
	if scope := r.PostForm.Get("scope"); scope != "" && !strings.EqualFold(scope, g.Request.Scope) {
		return answer{}, &Error{Code: "invalid_scope", Text: "a refresh cannot change the scope"}
	}
	now := s.config.Clock.Now()
	next, refused := g.refresh(c, used, now)
	if refused != nil {
		return answer{}, s.refused(next, refused)
	}
	a := answer{Scope: g.Request.Scope}
	switch s.policy.Refresh {
	case Rotating:
		var err error
		if a.RefreshToken, err = s.secret(); err != nil {
			return answer{}, err
		}
		next = next.rotated(used, hashOf(a.RefreshToken), now, s.policy.Grace)
	case Reusable:
		if !s.policy.BareRefresh {
			a.RefreshToken = token
		}
	}
	if s.policy.BareRefresh {
		a.Scope, a.ExpiresIn = "", -1
	}
	return s.give(next, a)
}

func isAccess(g Grant, hash string) bool {
	for _, a := range g.Access {
		if a.Hash == hash {
			return true
		}
	}
	return false
}

// give stores the grant with a new access token, and completes the answer. The caller holds
// mu. An ExpiresIn below 0 is left out.
func (s *Server) give(next Grant, a answer) (answer, error) {
	var err error
	if a.AccessToken, err = s.secret(); err != nil {
		return answer{}, err
	}
	life := or(s.policy.AccessLife, time.Hour)
	if err := s.store(next.given(hashOf(a.AccessToken), s.config.Clock.Now().Add(life))); err != nil {
		return answer{}, fmt.Errorf("token: %w", err)
	}
	a.TokenType = "Bearer"
	if s.policy.LowerBearer {
		a.TokenType = "bearer"
	}
	switch {
	case a.ExpiresIn < 0 || s.policy.NoExpiry:
		a.ExpiresIn = 0
	default:
		a.ExpiresIn = int(life / time.Second)
	}
	if s.policy.NoScope {
		a.Scope = ""
	}
	return a, nil
}

// Metadata returns the metadata of the server (RFC 8414) with these addresses. That of the
// revocation endpoint may be empty: there is none.
func (s *Server) Metadata(issuer, authorize, token, revoke string) map[string]any {
	p := s.Policy()
	methods := []string{"S256"}
	if p.Plain {
		methods = append(methods, "plain")
	}
	grants := []string{"authorization_code"}
	if p.Refresh != NoRefresh {
		grants = append(grants, "refresh_token")
	}
	m := map[string]any{
		"issuer": issuer, "authorization_endpoint": authorize, "token_endpoint": token,
		"response_types_supported": []string{p.responseType()}, "response_modes_supported": []string{"query"},
		"grant_types_supported": grants, "code_challenge_methods_supported": methods,
		"token_endpoint_auth_methods_supported":      []string{"tls_client_auth"},
		"tls_client_certificate_bound_access_tokens": true,
	}
	if revoke != "" {
		m["revocation_endpoint"] = revoke
	}
	if p.Issuer {
		m["authorization_response_iss_parameter_supported"] = true
	}
	return m
}
