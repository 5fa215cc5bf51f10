package access

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
)

// retryAfter is the pause after a failed read of the signing keys, while an
// older view is still at hand.
const retryAfter = time.Second

// signing keeps the keys that sign session tokens. Nothing runs in the
// background: whoever needs the keys refreshes the view when it is session.ViewMaxAge old,
// and does what the rule of rotation says.
type signing struct {
	store  store.Store
	vault  seal.Vault
	clk    clock.Clock
	random io.Reader

	view    atomic.Pointer[ring]
	mu      sync.Mutex // one refresh at a time
	triedAt time.Time
}

// ring is one view of the signing keys. It does not change.
type ring struct {
	at     time.Time
	public map[string]ed25519.PublicKey // by kid
	signer jose.Signer
	jwks   []byte
}

// current returns a view at most session.ViewMaxAge old; an older one when the store does
// not answer.
func (s *signing) current(ctx context.Context) (*ring, error) {
	now := s.clk.Now()
	if r := s.view.Load(); r != nil && now.Before(r.at.Add(session.ViewMaxAge)) {
		return r, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.view.Load()
	if old != nil && (now.Before(old.at.Add(session.ViewMaxAge)) || now.Before(s.triedAt.Add(retryAfter))) {
		return old, nil
	}
	s.triedAt = now
	fresh, err := s.refresh(ctx, now)
	if err != nil {
		if old != nil {
			return old, nil
		}
		return nil, fmt.Errorf("access: read the signing keys: %w", err)
	}
	s.view.Store(fresh)
	return fresh, nil
}

func (s *signing) refresh(ctx context.Context, now time.Time) (*ring, error) {
	keys, p, err := s.read(ctx, s.store, now)
	if err != nil {
		return nil, err
	}
	if p.Add != "" || len(p.Delete) > 0 {
		if err := s.rotate(ctx, p, now); err != nil {
			return nil, err
		}
		if keys, p, err = s.read(ctx, s.store, now); err != nil {
			return nil, err
		}
	}
	return s.ring(ctx, keys, p.Sign, now)
}

func (s *signing) read(ctx context.Context, from store.Reader, now time.Time) ([]session.SigningKey, session.Plan, error) {
	keys, err := from.SigningKeys(ctx)
	if err != nil {
		return nil, session.Plan{}, err
	}
	slices.SortFunc(keys, func(a, b session.SigningKey) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	p, err := session.Rotation(keys, now)
	return keys, p, err
}

// rotate makes and drops keys. That another node was first is as good.
func (s *signing) rotate(ctx context.Context, p session.Plan, now time.Time) error {
	var fresh session.SigningKey
	if p.Add != "" {
		var err error
		if fresh, err = s.make(ctx, p.Add, now); err != nil {
			return err
		}
	}
	return s.store.Write(ctx, func(tx store.Tx) error {
		if p.Add != "" {
			if err := tx.AddSigningKey(ctx, fresh); err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
		}
		for _, kid := range p.Delete {
			if err := tx.DeleteSigningKey(ctx, kid); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

func (s *signing) make(ctx context.Context, kid string, now time.Time) (session.SigningKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.random, seed); err != nil {
		return session.SigningKey{}, err
	}
	sealed, err := s.vault.Seal(ctx, seal.System, signingPlace(kid), seed)
	if err != nil {
		return session.SigningKey{}, err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	b, err := json.Marshal(jwk(kid, public))
	return session.SigningKey{ID: kid, CreatedAt: now, Sealed: sealed, Public: b}, err
}

// ring opens the keys. The public half is taken from the sealed one and not from
// its column, so that nobody who can only write to the database adds a key.
func (s *signing) ring(ctx context.Context, keys []session.SigningKey, sign int, now time.Time) (*ring, error) {
	r := &ring{at: now, public: map[string]ed25519.PublicKey{}}
	var set jose.JSONWebKeySet
	for i, k := range keys {
		seed, err := s.vault.Open(ctx, seal.System, signingPlace(k.ID), k.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open signing key %s: %w", k.ID, err)
		}
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("signing key %s has a wrong length", k.ID)
		}
		private := ed25519.NewKeyFromSeed(seed)
		r.public[k.ID] = private.Public().(ed25519.PublicKey)
		set.Keys = append(set.Keys, jwk(k.ID, r.public[k.ID]))
		if i == sign {
			r.signer, err = jose.NewSigner(
				jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: k.ID}},
				new(jose.SignerOptions).WithType("JWT"))
			if err != nil {
				return nil, err
			}
		}
	}
	if r.signer == nil {
		return nil, errors.New("no key signs")
	}
	var err error
	r.jwks, err = json.Marshal(set)
	return r, err
}

func signingPlace(kid string) seal.Place {
	return seal.Place{Table: "signing_keys", Column: "sealed", Row: kid}
}

func jwk(kid string, public ed25519.PublicKey) jose.JSONWebKey {
	return jose.JSONWebKey{Key: public, KeyID: kid, Algorithm: string(jose.EdDSA), Use: "sig"}
}
