package access

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/fault"
)

const (
	// maxToken is the longest token that is looked at; ours have about 500 bytes.
	maxToken = 4 << 10
	// sessionAge is how long a checked signature is believed, so that a signing
	// key that is taken away closes its sessions soon.
	sessionAge   = time.Minute
	sessionCount = 50_000
	// skew is how far the clock of the node that made a token may be ahead. It
	// bears on nbf and iat; exp has no leeway.
	skew = 5 * time.Second
)

// claims are those of docs/reference/api.md 1.3.
type claims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
}

// claimedSession is what is remembered of a token whose signature was checked.
type claimedSession struct {
	identity         Identity
	notBefore, until time.Time
}

// mint makes a token for a user; it expires at the returned moment.
func (g *Gate) mint(ctx context.Context, clientID, userID string) (token string, expires time.Time, err error) {
	r, err := g.signing.current(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	now := g.clk.Now().Truncate(time.Second) // the unit of the claims
	expires = now.Add(g.life)
	token, err = jwt.Signed(r.signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: g.issuer, Audience: jwt.Audience{g.audience}, Subject: userID, ID: g.ids.New(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(expires),
		},
		ClientID: clientID,
	}).Serialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("access: sign a session token: %w", err)
	}
	return token, expires, nil
}

func (g *Gate) identifySession(ctx context.Context, token string) (Identity, *fault.Fault) {
	if len(token) > maxToken {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	sum := sha256.Sum256([]byte(token))
	s, known := g.sessions.Peek(sum)
	if !known {
		r, err := g.signing.current(ctx)
		if err != nil {
			return Identity{}, fault.Wrap(err)
		}
		var ok bool
		if s, ok = g.read(r, token); !ok {
			return Identity{}, fault.New(fault.Unauthorized)
		}
		g.sessions.Put(sum, s)
	}
	now := g.clk.Now()
	if !now.Before(s.until) || now.Add(skew).Before(s.notBefore) {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	return s.identity, nil
}

// read checks everything about a token but the time: the algorithm is named by
// us, the key by a kid of ours, and every claim must be there.
func (g *Gate) read(r *ring, token string) (claimedSession, bool) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(t.Headers) != 1 {
		return claimedSession{}, false
	}
	public, ok := r.public[t.Headers[0].KeyID]
	if !ok {
		return claimedSession{}, false
	}
	var c claims
	if err := t.Claims(public, &c); err != nil {
		return claimedSession{}, false
	}
	if c.Issuer != g.issuer || !c.Audience.Contains(g.audience) {
		return claimedSession{}, false
	}
	if c.Subject == "" || c.ClientID == "" || c.ID == "" || c.IssuedAt == nil || c.NotBefore == nil || c.Expiry == nil {
		return claimedSession{}, false
	}
	notBefore := c.NotBefore.Time()
	if issued := c.IssuedAt.Time(); issued.After(notBefore) {
		notBefore = issued
	}
	return claimedSession{
		identity:  Identity{Kind: Session, ClientID: c.ClientID, UserID: c.Subject},
		notBefore: notBefore, until: c.Expiry.Time(),
	}, true
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517), for
// GET /.well-known/jwks.json. Others may cache it for session.JWKSMaxAge.
func (g *Gate) JWKS(ctx context.Context) ([]byte, error) {
	r, err := g.signing.current(ctx)
	if err != nil {
		return nil, err
	}
	return r.jwks, nil
}
