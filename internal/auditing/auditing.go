// Package auditing chains the audit log: it gives each entry its place after the commit
// that stored it, signs heads, removes entries whose time is over, and exports the log.
// What is hashed, signed and verified is in package audit/chain.
package auditing

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"samla/internal/audit/chain"
	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/store"
)

// Deps are the dependencies of a Service. All members without a default are required.
type Deps struct {
	Store  store.Store
	Vault  seal.Vault
	Clock  clock.Clock
	Random io.Reader     // nil = crypto/rand
	Log    *slog.Logger  // nil = none
	Keep   time.Duration // how long entries are kept; 0 = for ever
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	mu  sync.Mutex
	key ed25519.PrivateKey // nil: not opened yet

	ending context.CancelFunc
	ended  sync.WaitGroup
}

// New returns a service.
func New(d Deps) *Service {
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{Deps: d}
}

// ErrTampered means that the end of the chain is not what its signed head says: somebody
// wrote to the database, or an older key or table was put back. Nothing is chained until
// that is mended (docs/audit.md).
var ErrTampered = errors.New("the audit log is not what was signed")

var keyPlace = seal.Place{Table: "audit_keys", Column: "sealed", Row: "1"}

// signingKey returns the key that signs heads, and makes it if there is none yet. Errors:
// ErrTampered if the key is missing although heads were signed; seal.ErrDecryption.
func (s *Service) signingKey(ctx context.Context) (ed25519.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	stored, err := s.Store.AuditKey(ctx)
	if errors.Is(err, store.ErrNotFound) {
		if err := s.makeKey(ctx); err != nil {
			return nil, err
		}
		stored, err = s.Store.AuditKey(ctx)
	}
	if err != nil {
		return nil, err
	}
	// The public key is derived from the sealed one: who can only write to the database
	// cannot put another key there.
	seed, err := s.Vault.Open(ctx, seal.System, keyPlace, stored.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open the key of the audit log: %w", err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("the key of the audit log has the wrong length")
	}
	s.key = ed25519.NewKeyFromSeed(seed)
	return s.key, nil
}

func (s *Service) makeKey(ctx context.Context) error {
	if _, err := s.Store.LastAuditHead(ctx, chain.End); err == nil {
		return fmt.Errorf("%w: its key is missing", ErrTampered)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(s.Random, seed); err != nil {
		return err
	}
	sealed, err := s.Vault.Seal(ctx, seal.System, keyPlace, seed)
	if err != nil {
		return err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	err = s.Store.Write(ctx, func(tx store.Tx) error {
		return tx.AddAuditKey(ctx, store.AuditKey{CreatedAt: s.Clock.Now(), Sealed: sealed, Public: public})
	})
	if errors.Is(err, store.ErrExists) {
		return nil // another node was first
	}
	return err
}

// PublicKey returns the key that verifies heads.
func (s *Service) PublicKey(ctx context.Context) (ed25519.PublicKey, error) {
	key, err := s.signingKey(ctx)
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}
