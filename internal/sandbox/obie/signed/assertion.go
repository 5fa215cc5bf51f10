package signed

import (
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxAssertionLife is the longest time until exp of an assertion.
const maxAssertionLife = time.Hour

// Assertion is what authenticates a client at the token endpoint by private_key_jwt (RFC
// 7523 3, OpenID Connect Core 9).
type Assertion struct {
	Client  string
	ID      string    // jti, to be used once
	Expires time.Time // exp
}

// AssertionClient returns the client that an assertion names, unverified; "" if it cannot
// be read.
func AssertionClient(text string) string {
	token, err := jwt.ParseSigned(text, algorithms)
	var c jwt.Claims
	if err != nil || token.UnsafeClaimsWithoutVerification(&c) != nil {
		return ""
	}
	return c.Subject
}

// ReadAssertion verifies an assertion of the client. Audiences are the values of aud that
// the bank accepts. The error is ErrSignature or wraps ErrClaims.
func ReadAssertion(text, client string, keys jose.JSONWebKeySet, audiences []string, now time.Time) (Assertion, error) {
	var c jwt.Claims
	if read(text, keys, &c) != nil {
		return Assertion{}, ErrSignature
	}
	named := false
	for _, a := range audiences {
		named = named || c.Audience.Contains(a)
	}
	switch {
	case c.Issuer != client || c.Subject != client:
		return Assertion{}, ruleError("iss and sub must be the client")
	case !named:
		return Assertion{}, ruleError("aud must be the token endpoint or the issuer")
	case c.ID == "":
		return Assertion{}, ruleError("jti is required")
	case c.Expiry == nil || !now.Before(c.Expiry.Time()):
		return Assertion{}, ruleError("exp is missing or has passed")
	case c.Expiry.Time().Sub(now) > maxAssertionLife:
		return Assertion{}, ruleError("exp is more than an hour ahead")
	case c.NotBefore != nil && now.Before(c.NotBefore.Time().Add(-skew)), c.IssuedAt != nil && now.Before(c.IssuedAt.Time().Add(-skew)):
		return Assertion{}, ruleError("the assertion is not valid yet")
	}
	return Assertion{Client: client, ID: c.ID, Expires: c.Expiry.Time()}, nil
}

func fields(scope string) []string { return strings.Fields(scope) }
