// Package authn owns authentication: API keys, session tokens and the keys that
// sign them. It hands the API an Identity or a fault.
package authn

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
	"samla/internal/journal"
	"samla/internal/lru"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Config is what an Authenticator needs. Issuer and Audience are the claims of
// every session token; a token with other values is refused.
type Config struct {
	Store       store.Store
	Vault       seal.Vault
	Clock       clock.Clock
	Random      io.Reader // nil = crypto/rand
	Issuer      string
	Audience    string
	SessionLife time.Duration    // 0 = session.DefaultLife
	Journal     journal.Recorder // is told of revoked keys; nil: none
}

// Kind is the kind of a credential (docs/reference/api.md 1.3).
type Kind int

// The kinds of credentials.
const (
	APIKey Kind = iota + 1
	Session
)

// Identity is an authenticated caller. UserID is set for a Session, KeyID for an
// APIKey.
type Identity struct {
	Kind     Kind
	ClientID string
	UserID   string
	KeyID    string
}

// Authenticator authenticates requests. It is safe for concurrent use.
type Authenticator struct {
	journal journal.Recorder
	store   store.Store
	vault   seal.Vault
	clk     clock.Clock
	random  io.Reader
	ids     *uuid7.Generator

	issuer, audience string
	life             time.Duration

	signing     *signing
	keys        *lru.Cache[client.Hash, client.Key]
	unknownKeys *lru.Cache[client.Hash, struct{}] // a cache of its own: many wrong keys evict no valid one
	sessions    *lru.Cache[[32]byte, verifiedToken]
}

// CheckSessionLife returns an error if session tokens cannot have this lifetime
// (docs/reference/api.md 1.3).
func CheckSessionLife(life time.Duration) error {
	if life < session.MinLife || life > session.MaxLife {
		return fmt.Errorf("a session lifetime of %v is outside %v to %v", life, session.MinLife, session.MaxLife)
	}
	return nil
}

// New returns an Authenticator. It reads the signing keys and makes the first one.
// Error: seal.ErrDecryption when the master key is not the one that the signing
// keys are sealed under.
func New(ctx context.Context, c Config) (*Authenticator, error) {
	if c.SessionLife == 0 {
		c.SessionLife = session.DefaultLife
	}
	if err := CheckSessionLife(c.SessionLife); err != nil {
		return nil, err
	}
	if c.Issuer == "" || c.Audience == "" {
		return nil, errors.New("authn: session tokens need an issuer and an audience")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	a := &Authenticator{
		journal: journal.Or(c.Journal),
		store:   c.Store, vault: c.Vault, clk: c.Clock, random: c.Random,
		ids:    uuid7.NewGenerator(c.Clock, c.Random),
		issuer: c.Issuer, audience: c.Audience, life: c.SessionLife,
		signing:     &signing{store: c.Store, vault: c.Vault, clk: c.Clock, random: c.Random},
		keys:        lru.New[client.Hash, client.Key](c.Clock, keyCacheSize, keyCacheAge),
		unknownKeys: lru.New[client.Hash, struct{}](c.Clock, keyCacheSize, keyCacheAge),
		sessions:    lru.New[[32]byte, verifiedToken](c.Clock, tokenCacheSize, tokenCacheAge),
	}
	if _, err := a.signing.current(ctx); errors.Is(err, seal.ErrDecryption) {
		return nil, fmt.Errorf("this database was sealed with another master key, or with keys of another directory: %w", err)
	} else if err != nil {
		return nil, err
	}
	return a, nil
}

// Authenticate reads the credential of a request (docs/reference/api.md 1.3). A
// header with an empty value counts as absent. Faults: AmbiguousCredentials when
// there is a credential of each kind, Unauthorized when there is none or it is not
// valid, Internal when the store fails. It does not read the user of a session:
// see CheckUser.
func (a *Authenticator) Authenticate(r *http.Request) (Identity, *fault.Fault) {
	key, keys := single(r.Header["Authorization-Token"])
	bearer, bearers := single(r.Header["Authorization"])
	switch {
	case keys > 0 && bearers > 0:
		return Identity{}, fault.New(fault.AmbiguousCredentials)
	case keys == 1:
		return a.authenticateKey(r.Context(), key)
	case bearers == 1:
		scheme, token, _ := strings.Cut(bearer, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Identity{}, fault.New(fault.Unauthorized)
		}
		return a.authenticateToken(r.Context(), strings.TrimLeft(token, " "))
	}
	return Identity{}, fault.New(fault.Unauthorized)
}

// single returns the last non-empty value of a header and how many there are. A
// header with two values is no credential.
func single(values []string) (value string, n int) {
	for _, v := range values {
		if v = strings.Trim(v, " \t"); v != "" {
			value, n = v, n+1
		}
	}
	return value, n
}

// CheckUser returns Unauthorized when the user of a session does not exist or was
// anonymized after the token was issued (docs/reference/api.md 3.4), and Internal
// when the store fails. It costs what a status poll of the store does, and nothing for
// an API key.
// The status routes do not call it: the row they read reports UserAnonymized.
func (a *Authenticator) CheckUser(ctx context.Context, id Identity) *fault.Fault {
	if id.Kind != Session {
		return nil
	}
	u, err := a.store.UserStatus(ctx, id.UserID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (u.ClientID != id.ClientID || u.Anonymized()):
		return fault.New(fault.Unauthorized)
	case err != nil:
		return fault.Wrap(fmt.Errorf("authn: read the user of a session: %w", err))
	}
	return nil
}
