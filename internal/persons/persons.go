// Package persons recognizes a person by personal number without storing the number: by a
// keyed hash, whose key is sealed for the server itself. Who has the database and not the
// master key learns which users are one person, and not who that is.
package persons

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"samla/internal/seal"
	"samla/internal/store"
)

// Deps is what the service works with. All are required.
type Deps struct {
	Store interface {
		store.VisitReader
		store.Transactor
	}
	Vault  seal.Vault
	Random io.Reader // of the key
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	mu  sync.Mutex
	key []byte
}

// New returns the service. The key is read, or made, when it is used first.
func New(d Deps) *Service { return &Service{Deps: d} }

// KeySize is the length of the key, and of those that are derived from it, in bytes.
const KeySize = 32

var place = seal.Place{Table: "person_keys", Column: "sealed", Row: "1"}

// Mark returns the hash of a person: base64url of HMAC-SHA256. The number has 12 digits;
// of an empty one the mark is empty.
func (s *Service) Mark(ctx context.Context, number string) (string, error) {
	if number == "" {
		return "", nil
	}
	key, err := s.master(ctx)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("person\x00" + number))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Key returns a key for something else that all nodes can open, such as what a browser
// keeps while a person signs in.
func (s *Service) Key(ctx context.Context, purpose string) ([]byte, error) {
	key, err := s.master(ctx)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, key, nil, "samla "+purpose, KeySize)
}

// master returns the key, which is the same on all nodes.
func (s *Service) master(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	sealed, err := s.Store.PersonKey(ctx)
	if errors.Is(err, store.ErrNotFound) {
		if err := s.make(ctx); err != nil {
			return nil, err
		}
		sealed, err = s.Store.PersonKey(ctx) // another node may have been faster
	}
	if err != nil {
		return nil, fmt.Errorf("persons: read the key: %w", err)
	}
	key, err := s.Vault.Open(ctx, seal.System, place, sealed)
	if err != nil {
		return nil, fmt.Errorf("persons: open the key: %w", err)
	}
	if len(key) != KeySize {
		return nil, errors.New("persons: the key has the wrong length")
	}
	s.key = key
	return key, nil
}

func (s *Service) make(ctx context.Context) error {
	key := make([]byte, KeySize)
	if _, err := io.ReadFull(s.Random, key); err != nil {
		return fmt.Errorf("persons: make the key: %w", err)
	}
	sealed, err := s.Vault.Seal(ctx, seal.System, place, key)
	if err != nil {
		return fmt.Errorf("persons: seal the key: %w", err)
	}
	err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.AddPersonKey(ctx, sealed) })
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}
