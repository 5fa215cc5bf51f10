package openid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/institution/oauth"
	"samla/internal/jsontext"
)

// skew is how far the clock of a bank may be from ours.
const skew = 2 * time.Minute

// maxToken bounds a signed token, in bytes.
const maxToken = 32 << 10

// Verifier checks the tokens that one server signs for our client. It is safe for
// concurrent use.
type Verifier struct {
	c Config
}

// Config describes a server and our client there.
type Config struct {
	Keys     *Keys
	Issuer   string // exactly as in the tokens
	ClientID string
	// Algorithms are those that the server may sign with: PS256 and ES256 (FAPI 1 part 2,
	// 8.6); RS256 only for a server that is outside of FAPI. Nil = PS256 and ES256.
	Algorithms []string
	Clock      clock.Clock // nil = the machine's
}

// NewVerifier returns a verifier. Errors: a member is missing, or an algorithm is not one
// of the three. "none" and those with a shared secret cannot be allowed.
func NewVerifier(c Config) (*Verifier, error) {
	if c.Keys == nil || c.Issuer == "" || c.ClientID == "" {
		return nil, errors.New("openid: a verifier needs keys, an issuer and a client id")
	}
	if c.Algorithms == nil {
		c.Algorithms = []string{"PS256", "ES256"}
	}
	for _, a := range c.Algorithms {
		if a != "PS256" && a != "ES256" && a != "RS256" {
			return nil, fmt.Errorf("openid: the algorithm %q cannot be allowed", a)
		}
	}
	if c.Clock == nil {
		c.Clock = clock.System()
	}
	return &Verifier{c}, nil
}

// claims are the members of a token whose signature, issuer, audience and times are right.
type claims map[string]any

func (c claims) text(name string) string { s, _ := c[name].(string); return s }

// open checks what all signed tokens have in common. name is the token's, for errors.
func (v *Verifier) open(ctx context.Context, name string, token oauth.Secret) (claims, error) {
	payload, err := v.signed(ctx, name, token)
	if err != nil {
		return nil, err
	}
	document, syntax := jsontext.Parse(string(payload))
	c, ok := document.(map[string]any)
	if syntax != nil || !ok {
		return nil, refuse(name, NotAToken)
	}
	if fault := v.common(c); fault != "" {
		return nil, refuse(name, fault)
	}
	return c, nil
}

// signed returns the payload of a token that the server has signed.
func (v *Verifier) signed(ctx context.Context, name string, token oauth.Secret) ([]byte, error) {
	text := token.Reveal()
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return nil, refuse(name, NotAToken)
	}
	var allowed []jose.SignatureAlgorithm
	for _, a := range v.c.Algorithms {
		allowed = append(allowed, jose.SignatureAlgorithm(a))
	}
	parsed, err := jose.ParseSignedCompact(text, allowed)
	if other := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &other) {
		return nil, refuse(name, WrongAlgorithm)
	}
	if err != nil || len(parsed.Signatures) != 1 {
		return nil, refuse(name, NotAToken)
	}
	header := parsed.Signatures[0].Protected
	keys, err := v.c.Keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, refuse(name, UnknownKey)
	}
	for _, public := range keys {
		if payload, err := parsed.Verify(public); err == nil {
			return payload, nil
		}
	}
	return nil, refuse(name, WrongSignature)
}

// common checks iss, aud, azp, exp, iat and nbf (OpenID Connect Core 3.1.3.7).
func (v *Verifier) common(c claims) Fault {
	now := v.c.Clock.Now()
	audiences, ok := audiencesOf(c["aud"])
	azp, hasAZP := c["azp"]
	expires, issued, from := oauth.Moment(c["exp"]), oauth.Moment(c["iat"]), oauth.Moment(c["nbf"])
	switch {
	case c.text("iss") != v.c.Issuer:
		return WrongIssuer
	case !ok || !slices.Contains(audiences, v.c.ClientID):
		return WrongAudience
	case hasAZP && azp != v.c.ClientID, !hasAZP && len(audiences) > 1:
		return WrongParty
	case expires.IsZero() || !now.Before(expires.Add(skew)):
		return Expired
	case c["iat"] != nil && (issued.IsZero() || issued.After(now.Add(skew))), c["nbf"] != nil && (from.IsZero() || from.After(now.Add(skew))):
		return NotYet
	}
	return ""
}

func audiencesOf(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, _ := v.([]any)
	var all []string
	for _, each := range list {
		s, ok := each.(string)
		if !ok {
			return nil, false
		}
		all = append(all, s)
	}
	return all, len(all) > 0
}
