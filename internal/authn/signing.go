package authn

import (
	"cmp"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
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

// retryAfter is the pause after a failed read of the signing keys while an older
// key set can still be used.
const retryAfter = time.Second

// signing caches the keys that sign session tokens and rotates them. It has no
// background goroutine: the call that finds the key set older than
// session.ViewMaxAge reads it again and carries out what session.Rotation plans.
type signing struct {
	store  store.Store
	vault  seal.Vault
	clk    clock.Clock
	random io.Reader

	cached  atomic.Pointer[keySet]
	mu      sync.Mutex // held during a refresh
	triedAt time.Time
}

// keySet is the signing keys as they were read at one moment. It is immutable.
type keySet struct {
	readAt time.Time
	public map[string]ed25519.PublicKey // by kid, and by the kid of earlier releases
	signer jose.Signer
	jwks   []byte
}

// olderThan reports whether the keys were read age or longer ago.
func (k *keySet) olderThan(age time.Duration, now time.Time) bool {
	return !now.Before(k.readAt.Add(age))
}

// current returns a key set that is at most session.ViewMaxAge old, or an older
// one when the store fails.
func (s *signing) current(ctx context.Context) (*keySet, error) {
	now := s.clk.Now()
	if keys := s.cached.Load(); keys != nil && !keys.olderThan(session.ViewMaxAge, now) {
		return keys, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.cached.Load()
	if old != nil && (!old.olderThan(session.ViewMaxAge, now) || now.Before(s.triedAt.Add(retryAfter))) {
		return old, nil
	}
	s.triedAt = now
	keys, err := s.refresh(ctx, now)
	if err != nil {
		if old != nil {
			return old, nil
		}
		return nil, fmt.Errorf("authn: read the signing keys: %w", err)
	}
	s.cached.Store(keys)
	return keys, nil
}

func (s *signing) refresh(ctx context.Context, now time.Time) (*keySet, error) {
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
	return s.open(ctx, keys, p.Sign, now)
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

// rotate adds and deletes keys. It is no error when another node did so first.
func (s *signing) rotate(ctx context.Context, p session.Plan, now time.Time) error {
	var added session.SigningKey
	if p.Add != "" {
		var err error
		if added, err = s.make(ctx, p.Add, now); err != nil {
			return err
		}
	}
	return s.store.Write(ctx, func(tx store.Tx) error {
		if p.Add != "" {
			if err := tx.AddSigningKey(ctx, added); err != nil && !errors.Is(err, store.ErrExists) {
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

func (s *signing) make(ctx context.Context, id string, now time.Time) (session.SigningKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.random, seed); err != nil {
		return session.SigningKey{}, err
	}
	sealed, err := s.vault.Seal(ctx, seal.System, signingPlace(id), seed)
	if err != nil {
		return session.SigningKey{}, err
	}
	key, err := jwk(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return session.SigningKey{}, err
	}
	b, err := json.Marshal(key)
	return session.SigningKey{ID: id, CreatedAt: now, Sealed: sealed, Public: b}, err
}

// open decrypts the keys. It derives the public key from the sealed private key
// and ignores the public column, so that write access to the database is not
// enough to add a key.
func (s *signing) open(ctx context.Context, keys []session.SigningKey, sign int, now time.Time) (*keySet, error) {
	opened := &keySet{readAt: now, public: map[string]ed25519.PublicKey{}}
	var set jose.JSONWebKeySet
	for i, k := range keys {
		seed, err := s.vault.Open(ctx, seal.System, signingPlace(k.ID), k.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open signing key %s: %w", k.ID, err)
		}
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("signing key %s has the wrong length", k.ID)
		}
		private := ed25519.NewKeyFromSeed(seed)
		public, err := jwk(private)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, public)
		// Earlier releases named the row, as every installation does: they and their
		// tokens of the last day may be around.
		for _, kid := range []string{public.KeyID, k.ID} {
			opened.public[kid] = public.Key.(ed25519.PublicKey)
		}
		if i == sign {
			opened.signer, err = jose.NewSigner(
				jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: public.KeyID}},
				new(jose.SignerOptions).WithType("JWT"))
			if err != nil {
				return nil, err
			}
		}
	}
	if opened.signer == nil {
		return nil, errors.New("there is no key to sign with")
	}
	var err error
	opened.jwks, err = json.Marshal(set)
	return opened, err
}

func signingPlace(id string) seal.Place {
	return seal.Place{Table: "signing_keys", Column: "sealed", Row: id}
}

// jwk returns the public key of a private one. Its kid is the thumbprint of the key (RFC
// 7638), so that no two installations have the same: a client that talks to several may
// keep all keys in one set.
func jwk(private ed25519.PrivateKey) (jose.JSONWebKey, error) {
	key := jose.JSONWebKey{Key: private.Public(), Algorithm: string(jose.EdDSA), Use: "sig"}
	sum, err := key.Thumbprint(crypto.SHA256)
	key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return key, err
}
