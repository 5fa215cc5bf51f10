// Package access owns who may call and on whose behalf: API keys, session
// tokens, the users they stand for, and the memory of requests with an
// Idempotency-Key. It tells the faces an Identity or a fault; it knows no route.
package access

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/lru"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Config is what the gate needs. Issuer and Audience are the claims of every
// session token; a token made for another server does not open this one.
type Config struct {
	Store       store.Store
	Vault       seal.Vault
	Clock       clock.Clock
	Random      io.Reader // nil = the system's
	Issuer      string
	Audience    string
	SessionLife time.Duration // 0 = session.DefaultLife
}

// Kind tells the two credentials of docs/reference/api.md 1.3 apart.
type Kind int

// The kinds of credentials.
const (
	APIKey Kind = iota + 1
	Session
)

// Identity is who calls. UserID is set for a Session, KeyID for an APIKey.
type Identity struct {
	Kind     Kind
	ClientID string
	UserID   string
	KeyID    string
}

// Gate decides who may call. It is safe for concurrent use.
type Gate struct {
	store  store.Store
	vault  seal.Vault
	clk    clock.Clock
	random io.Reader
	ids    *uuid7.Generator

	issuer, audience string
	life             time.Duration

	signing   *signing
	keys      *lru.Cache[client.Hash, client.Key]
	strangers *lru.Cache[client.Hash, struct{}] // apart, so that a flood of wrong keys pushes no right one out
	sessions  *lru.Cache[[32]byte, claimedSession]
}

// New returns a gate. It reads the signing keys and makes the first one, so that
// a wrong master key is found here (seal.ErrDecryption) and not at the first call.
func New(ctx context.Context, c Config) (*Gate, error) {
	if c.SessionLife == 0 {
		c.SessionLife = session.DefaultLife
	}
	if c.SessionLife < session.MinLife || c.SessionLife > session.MaxLife {
		return nil, fmt.Errorf("access: a session lifetime of %v is outside %v to %v", c.SessionLife, session.MinLife, session.MaxLife)
	}
	if c.Issuer == "" || c.Audience == "" {
		return nil, errors.New("access: session tokens need an issuer and an audience")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	g := &Gate{
		store: c.Store, vault: c.Vault, clk: c.Clock, random: c.Random,
		ids:    uuid7.NewGenerator(c.Clock, c.Random),
		issuer: c.Issuer, audience: c.Audience, life: c.SessionLife,
		signing:   &signing{store: c.Store, vault: c.Vault, clk: c.Clock, random: c.Random},
		keys:      lru.New[client.Hash, client.Key](c.Clock, keyCount, keyAge),
		strangers: lru.New[client.Hash, struct{}](c.Clock, keyCount, keyAge),
		sessions:  lru.New[[32]byte, claimedSession](c.Clock, sessionCount, sessionAge),
	}
	if _, err := g.signing.current(ctx); err != nil {
		return nil, err
	}
	return g, nil
}

// Identify reads a request's credential (docs/reference/api.md 1.3). Faults: AmbiguousCredentials
// when there is one of each kind, Unauthorized when there is none or it opens
// nothing, Internal when the store does not answer. An empty header counts as
// absent. Whether a session's user still lives is CheckUser's to say.
func (g *Gate) Identify(r *http.Request) (Identity, *fault.Fault) {
	key, keys := only(r.Header["Authorization-Token"])
	bearer, bearers := only(r.Header["Authorization"])
	switch {
	case keys > 0 && bearers > 0:
		return Identity{}, fault.New(fault.AmbiguousCredentials)
	case keys == 1:
		return g.identifyKey(r.Context(), key)
	case bearers == 1:
		scheme, token, _ := strings.Cut(bearer, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, fault.New(fault.Unauthorized)
		}
		return g.identifySession(r.Context(), strings.TrimLeft(token, " "))
	}
	return Identity{}, fault.New(fault.Unauthorized)
}

// only returns the last value of a header that is not empty, and how many there
// are: a header that comes twice with a value names nobody.
func only(values []string) (value string, n int) {
	for _, v := range values {
		if v = strings.Trim(v, " \t"); v != "" {
			value, n = v, n+1
		}
	}
	return value, n
}

// CheckUser holds a session against its user, which may have been anonymized
// after the token was made: Unauthorized then (docs/reference/api.md 3.4). It is one indexed
// read, and nothing for an API key. The status routes do not need it: their own
// read tells UserGone.
func (g *Gate) CheckUser(ctx context.Context, id Identity) *fault.Fault {
	if id.Kind != Session {
		return nil
	}
	u, err := g.store.User(ctx, id.ClientID, id.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && u.Anonymized():
		return fault.New(fault.Unauthorized)
	case err != nil:
		return fault.Wrap(fmt.Errorf("access: read a session's user: %w", err))
	}
	return nil
}
