package oauth

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/institution"
	"samla/internal/jsontext"
)

// limits of what a token answer holds. A token of a bank can be a JWT with a chain of
// certificates; it must fit into a header.
const (
	maxToken = 16 << 10                  // bytes
	maxScope = 8 << 10                   // bytes
	maxLife  = 10 * 365 * 24 * time.Hour // a longer life counts as one that is not said
)

// Answer is the answer of a token endpoint. Connectors that make the request in another
// form (SEB's decoupled login sends JSON) read it with Tokens, too.
type Answer struct {
	Status     int
	Body       []byte
	RequestID  string
	RetryAfter time.Duration
}

// Reading is how the answers of one bank are read. The zero value is the RFC's.
type Reading struct {
	// Rejected is the reason to report if the server does not accept our client; "" = by
	// the authentication of the Client.
	Rejected institution.Reason
	// CodeErrors are error codes that say of an authorization code what invalid_grant says
	// at other banks: it is wrong, used or too old (N26: invalid_request,
	// docs/reference/families.md 2.6). They say nothing about a refresh token.
	CodeErrors []string
	// CodeOf returns the error code of an answer in another form than the RFC's, as one of
	// the RFC's; nil = the member error.
	CodeOf func(members map[string]any) string
}

// Tokens returns the tokens of a successful answer, 200 or 201 (SEB). asked is the time
// before the request was sent. Errors: as of Client.Request.
func (a Answer) Tokens(g GrantType, asked time.Time, r Reading) (Tokens, error) {
	members, isJSON := object(a.Body)
	code, _ := members["error"].(string)
	if r.CodeOf != nil && isJSON {
		code = r.CodeOf(members)
	}
	if a.Status != http.StatusOK && a.Status != http.StatusCreated || !isJSON || code != "" {
		return Tokens{}, a.failure(g, code, isJSON, r)
	}
	t, wrong := tokensOf(members, asked)
	if wrong != "" {
		return Tokens{}, &institution.Error{Kind: institution.MalformedResponse, HTTPStatus: a.Status,
			RequestID: a.RequestID, RetryAfter: a.RetryAfter, Detail: wrong}
	}
	return t, nil
}

// object decodes a JSON object. A key that is there twice makes it unreadable.
func object(body []byte) (map[string]any, bool) {
	v, syntax := jsontext.Parse(string(bytes.TrimPrefix(body, []byte("\ufeff"))))
	m, ok := v.(map[string]any)
	return m, ok && syntax == nil
}

// tokensOf reads the members of a success (RFC 6749 5.1). It returns what is wrong, in
// documented names, or "".
func tokensOf(m map[string]any, asked time.Time) (t Tokens, wrong string) {
	for _, f := range []struct {
		name string
		into *Secret
	}{{"access_token", &t.Access}, {"refresh_token", &t.Refresh}, {"id_token", &t.IDToken}} {
		s, _ := m[f.name].(string)
		switch {
		case m[f.name] != nil && s == "" && m[f.name] != "",
			len(s) > maxToken, strings.ContainsFunc(s, notTokenChar):
			return Tokens{}, f.name + " must be a token of printable characters, at most " + strconv.Itoa(maxToken)
		}
		*f.into = Secret(s)
	}
	if t.Access == "" {
		return Tokens{}, "access_token is missing"
	}
	// The type is compared in any case (RFC 6749 7.1). A type that is missing is Bearer:
	// the other types need more members than we can read.
	if kind, present := m["token_type"]; present && kind != nil {
		if s, _ := kind.(string); !strings.EqualFold(s, "Bearer") && s != "" {
			return Tokens{}, "token_type must be Bearer"
		}
	}
	t.Scope = scopeOf(m["scope"])
	if life := seconds(m["expires_in"]); life > 0 {
		t.Until = asked.Add(life)
	}
	for _, name := range []string{"refresh_token_expires_in", "refresh_expires_in"} {
		if life := seconds(m[name]); life > 0 {
			t.RefreshUntil = asked.Add(life)
		}
	}
	if at := Moment(m["refresh_token_expires_at"]); !at.IsZero() {
		t.RefreshUntil = at
	}
	return t, ""
}

func notTokenChar(r rune) bool { return r <= ' ' || r > '~' }

// scopeOf reads a scope: a text, or with some banks a list of texts.
func scopeOf(v any) string {
	var parts []string
	switch v := v.(type) {
	case string:
		parts = []string{v}
	case []any:
		for _, part := range v {
			if s, ok := part.(string); ok {
				parts = append(parts, s)
			}
		}
	}
	s := strings.Join(parts, " ")
	if len(s) > maxScope || strings.ContainsFunc(s, notPrintable) {
		return ""
	}
	return s
}

// seconds reads a number of seconds, or a text of one, as many banks send. Everything
// else, zero, and more than maxLife are not said: 0.
func seconds(v any) time.Duration {
	n, ok := number(v)
	if !ok || n <= 0 || n > maxLife.Seconds() {
		return 0
	}
	return time.Duration(n) * time.Second
}

func number(v any) (float64, bool) {
	text, _ := v.(string)
	if n, ok := v.(json.Number); ok {
		text = n.String()
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// Moment reads a time: seconds since 1970 as a number or a text (RFC 7519 2), or a time
// of RFC 3339. Zero for everything else. OBIE's banks say the end of the refresh token so
// (docs/reference/families.md 4.2).
func Moment(v any) time.Time {
	if n, ok := number(v); ok {
		if n <= 0 || n > 1<<35 {
			return time.Time{}
		}
		return time.Unix(int64(n), 0).UTC()
	}
	text, _ := v.(string)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
