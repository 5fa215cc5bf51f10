package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/fault"
	"samla/internal/session"
)

const (
	// maxToken is the longest session token that is parsed, in bytes; ours have
	// about 500.
	maxToken = 4 << 10
	// tokenCacheAge is how long a verified signature is cached. When a signing key
	// is deleted, its tokens stop working within this time.
	tokenCacheAge  = time.Minute
	tokenCacheSize = 50_000
	// skew is how far the clock of the node that issued a token may be ahead. It
	// applies to nbf and iat; exp has no leeway.
	skew = 5 * time.Second
)

// claims are those of docs/reference/api.md 1.3.
type claims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
}

// verifiedToken is what is cached of a token whose signature and claims are valid.
type verifiedToken struct {
	identity         Identity
	notBefore, until time.Time
}

// IssueToken returns a session token for a user and the time at which it expires.
// It stores nothing.
func (a *Authenticator) IssueToken(ctx context.Context, clientID, userID string) (token string, expiresAt time.Time, err error) {
	keys, err := a.signing.current(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	now := a.clk.Now().Truncate(time.Second) // the unit of the claims
	expiresAt = now.Add(a.life)
	token, err = jwt.Signed(keys.signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: a.issuer, Audience: jwt.Audience{a.audience}, Subject: userID, ID: a.ids.New(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(expiresAt),
		},
		ClientID: clientID,
	}).Serialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("authn: sign a session token: %w", err)
	}
	return token, expiresAt, nil
}

func (a *Authenticator) authenticateToken(ctx context.Context, token string) (Identity, *fault.Fault) {
	if len(token) > maxToken {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	sum := sha256.Sum256([]byte(token))
	t, cached := a.sessions.Peek(sum)
	if !cached {
		keys, err := a.signing.current(ctx)
		if err != nil {
			return Identity{}, fault.Wrap(err)
		}
		if t, err = a.verify(keys, token); err != nil {
			if errors.Is(err, errUnknownSigningKey) && keys.olderThan(session.ViewMaxAge, a.clk.Now()) {
				// The store has failed for a while: the key may exist.
				return Identity{}, fault.Wrap(err)
			}
			return Identity{}, fault.New(fault.Unauthorized)
		}
		a.sessions.Put(sum, t)
	}
	now := a.clk.Now()
	if !now.Before(t.until) || now.Add(skew).Before(t.notBefore) {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	return t.identity, nil
}

var (
	errInvalidToken      = errors.New("authn: the session token is invalid")
	errUnknownSigningKey = errors.New("authn: the session token is signed with an unknown key")
)

// verify validates a token except for its times. It accepts one algorithm only,
// takes the key from its own set by kid, and requires every claim. Errors:
// errUnknownSigningKey, errInvalidToken.
func (a *Authenticator) verify(keys *keySet, token string) (verifiedToken, error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(t.Headers) != 1 {
		return verifiedToken{}, errInvalidToken
	}
	public, ok := keys.public[t.Headers[0].KeyID]
	if !ok {
		return verifiedToken{}, errUnknownSigningKey
	}
	var c claims
	if err := t.Claims(public, &c); err != nil {
		return verifiedToken{}, errInvalidToken
	}
	if c.Issuer != a.issuer || !c.Audience.Contains(a.audience) {
		return verifiedToken{}, errInvalidToken
	}
	if c.Subject == "" || c.ClientID == "" || c.ID == "" || c.IssuedAt == nil || c.NotBefore == nil || c.Expiry == nil {
		return verifiedToken{}, errInvalidToken
	}
	notBefore := c.NotBefore.Time()
	if issued := c.IssuedAt.Time(); issued.After(notBefore) {
		notBefore = issued
	}
	return verifiedToken{
		identity:  Identity{Kind: Session, ClientID: c.ClientID, UserID: c.Subject},
		notBefore: notBefore, until: c.Expiry.Time(),
	}, nil
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517) for
// GET /.well-known/jwks.json. Clients may cache it for session.JWKSMaxAge.
func (a *Authenticator) JWKS(ctx context.Context) ([]byte, error) {
	keys, err := a.signing.current(ctx)
	if err != nil {
		return nil, err
	}
	return keys.jwks, nil
}
