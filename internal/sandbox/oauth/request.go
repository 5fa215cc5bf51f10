package oauth

import (
	"net/url"
	"regexp"
)

// Request is an authorization request that is valid. It can be stored as JSON.
type Request struct {
	ClientID    string `json:"clientId"`
	RedirectURI string `json:"redirectUri"`
	Scope       string `json:"scope,omitempty"`
	State       string `json:"state,omitempty"`
	Challenge   string `json:"challenge"`
	Plain       bool   `json:"plain,omitempty"`  // the challenge is the verifier itself
	Issuer      string `json:"issuer,omitempty"` // in the answer, if not empty
}

// Rules are how a bank checks what this package does not know.
type Rules struct {
	Issuer string // of this server
	// Redirect returns an error if the client is unknown, or must not use the address.
	Redirect func(clientID, redirectURI string) *Error
	// Scope returns an error if the client must not ask for this scope now.
	Scope func(clientID, scope string) *Error
	// Extra are further parameters that the bank reads; others are ignored (RFC 6749 3.1).
	Extra []string
}

var (
	challengePattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
	parameters       = []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}
)

// Authorize checks an authorization request (RFC 6749 4.1.1, RFC 7636 4.3). With a *Error
// and an empty Request, the browser must stay, because the client or its address is not
// trusted; with a *Error and a Request, the answer is Request.Failure.
func (s *Server) Authorize(query url.Values, rules Rules) (Request, *Error) {
	policy := s.Policy()
	for _, name := range append(rules.Extra, parameters...) {
		if len(query[name]) > 1 {
			return Request{}, invalidRequest("a parameter is given twice")
		}
	}
	r := Request{ClientID: query.Get("client_id"), RedirectURI: query.Get("redirect_uri")}
	if r.ClientID == "" || r.RedirectURI == "" {
		return Request{}, invalidRequest("client_id and redirect_uri are required")
	}
	if u, err := url.Parse(r.RedirectURI); err != nil || !u.IsAbs() || u.Fragment != "" {
		return Request{}, invalidRequest("redirect_uri is not an absolute address without fragment")
	}
	if err := rules.Redirect(r.ClientID, r.RedirectURI); err != nil {
		return Request{}, err
	}
	r.State, r.Scope = query.Get("state"), query.Get("scope")
	if policy.Issuer {
		r.Issuer = rules.Issuer
	}
	method := query.Get("code_challenge_method")
	r.Challenge = query.Get("code_challenge")
	switch {
	case query.Get("response_type") == "":
		return r, invalidRequest("response_type is required")
	case query.Get("response_type") != policy.responseType():
		return r, &Error{Code: "unsupported_response_type", Text: "the response type is " + policy.responseType()}
	case r.State == "":
		return r, invalidRequest("state is required")
	case policy.NoPKCE && r.Challenge == "":
	case !challengePattern.MatchString(r.Challenge):
		return r, invalidRequest("code_challenge has 43 to 128 unreserved characters")
	case policy.NoMethod && method == "", method == "S256":
	case policy.Plain && (method == "plain" || method == ""):
		r.Plain = true
	default:
		return r, invalidRequest("code_challenge_method is S256")
	}
	if err := rules.Scope(r.ClientID, r.Scope); err != nil {
		return r, err
	}
	return r, nil
}

// Success returns the address to which the browser goes with a code.
func (r Request) Success(code string) string { return r.answer(url.Values{"code": {code}}) }

// Failure returns the address to which the browser goes with an error (RFC 6749 4.1.2.1).
func (r Request) Failure(e *Error) string {
	v := url.Values{"error": {e.Code}}
	if e.Text != "" {
		v.Set("error_description", e.Text)
	}
	return r.answer(v)
}

// answer adds parameters to the redirect address, whose own query is kept.
func (r Request) answer(v url.Values) string {
	if r.State != "" {
		v.Set("state", r.State)
	}
	if r.Issuer != "" {
		v.Set("iss", r.Issuer)
	}
	u, err := url.Parse(r.RedirectURI)
	if err != nil {
		return r.RedirectURI // it was parsed by Authorize
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += v.Encode()
	return u.String()
}
