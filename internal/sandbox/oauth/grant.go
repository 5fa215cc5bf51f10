package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"time"
)

// Grant is what a person has granted to a client, with its code and tokens. Only hashes of
// them are stored.
type Grant struct {
	ID      string  `json:"id"`
	Request Request `json:"request"`
	// Subject is what the tokens are for, as the bank names it, such as a consent id or
	// a person.
	Subject string    `json:"subject"`
	Created time.Time `json:"created"`

	Code      string    `json:"code"`
	CodeUntil time.Time `json:"codeUntil"`
	CodeUsed  bool      `json:"codeUsed,omitempty"` // successfully or not

	Certificate string        `json:"certificate,omitempty"` // of the client that redeemed the code
	Access      []accessToken `json:"access,omitempty"`
	Refresh     string        `json:"refresh,omitempty"`
	Before      string        `json:"before,omitempty"` // the refresh token that Refresh replaced
	BeforeUntil time.Time     `json:"beforeUntil,omitzero"`
	Spent       []string      `json:"spent,omitempty"` // refresh tokens that are dead
	ChainUntil  time.Time     `json:"chainUntil,omitzero"`
	Ended       bool          `json:"ended,omitempty"` // all tokens are dead
}

type accessToken struct {
	Hash  string    `json:"hash"`
	Until time.Time `json:"until"`
}

// maxAccess and maxSpent limit the tokens of a grant that are remembered.
const (
	maxAccess = 8
	maxSpent  = 64
)

// redeem is the event that a client redeems the code. With an error the returned grant is
// the one to store: the attempt has ended the code, or all tokens.
func (g Grant) redeem(c Client, redirectURI, verifier string, now time.Time) (Grant, *Error) {
	switch {
	case g.Request.ClientID != c.ID:
		return g, invalidGrant("the code is another client's")
	case g.CodeUsed:
		g.Ended = true // RFC 6749 4.1.2: revoke what the code has given
		return g, invalidGrant("the code was used before")
	}
	g.CodeUsed = true
	switch {
	case g.Ended:
		return g, invalidGrant("the grant has ended")
	case !now.Before(g.CodeUntil):
		return g, invalidGrant("the code has expired")
	case redirectURI != g.Request.RedirectURI:
		return g, invalidGrant("redirect_uri is not the one of the authorization request")
	case !g.Request.verified(verifier):
		return g, invalidGrant("code_verifier does not fit the code_challenge")
	}
	g.Certificate = c.Certificate
	return g, nil
}

// verified reports whether the verifier is the one of the challenge (RFC 7636 4.6).
func (r Request) verified(verifier string) bool {
	if r.Challenge == "" {
		return verifier == ""
	}
	if !challengePattern.MatchString(verifier) { // it has the same form
		return false
	}
	got := verifier
	if !r.Plain {
		sum := sha256.Sum256([]byte(verifier))
		got = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(r.Challenge)) == 1
}

// refresh is the event that a client uses the refresh token with this hash. With an error
// the returned grant is the one to store.
func (g Grant) refresh(c Client, hash string, now time.Time) (Grant, *Error) {
	switch {
	case g.Request.ClientID != c.ID:
		return g, invalidGrant("the refresh token is another client's")
	case g.Certificate != "" && g.Certificate != c.Certificate:
		return g, invalidGrant("the refresh token is bound to another certificate")
	case g.Ended:
		return g, invalidGrant("the grant has ended")
	case !now.Before(g.ChainUntil):
		return g, invalidGrant("the refresh token has expired")
	case hash == g.Refresh:
		return g, nil
	case hash == g.Before && now.Before(g.BeforeUntil):
		// The answer to the rotation was lost: the token that nobody got is dead.
		return g, nil
	}
	g.Ended = true
	return g, invalidGrant("the refresh token was used before")
}

// rotated is the event that the refresh token used is replaced by another one.
func (g Grant) rotated(used, next string, now time.Time, grace time.Duration) Grant {
	spent := []string{used}
	if g.Refresh != used {
		spent = append(spent, g.Refresh)
	}
	g.Spent = append(slices.Clone(g.Spent), spent...)
	g.Spent = g.Spent[max(0, len(g.Spent)-maxSpent):]
	g.Refresh, g.Before, g.BeforeUntil = next, used, now.Add(grace)
	return g
}

// revoked is the event that the client revokes a token (RFC 7009 2.1): a refresh token with all
// that it has given, or an access token alone. A code is no token.
func (g Grant) revoked(hash string, now time.Time) Grant {
	if hash == g.Refresh || slices.Contains(g.Spent, hash) {
		g.Ended = true
		return g
	}
	g.Access = slices.Clone(g.Access)
	for i := range g.Access {
		if g.Access[i].Hash == hash {
			g.Access[i].Until = now
		}
	}
	return g
}

// given is the event that the client gets an access token.
func (g Grant) given(hash string, until time.Time) Grant {
	g.Access = append(slices.Clone(g.Access), accessToken{hash, until})
	g.Access = g.Access[max(0, len(g.Access)-maxAccess):]
	return g
}
