// Package keyset implements seal.Vault with Tink: one AES256-GCM keyset per
// subject, wrapped by an epoch key, which is a file outside of the database and
// wrapped by the master keyset. The store holds the wrapped keysets of subjects. This
// package owns the key directory, the master keyset and the unwrapped ones, which are
// only in memory.
package keyset

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	tink "github.com/tink-crypto/tink-go/v2/keyset"
	primitive "github.com/tink-crypto/tink-go/v2/tink"

	"samla/internal/clock"
	"samla/internal/lru"
	"samla/internal/seal"
)

const (
	// maxKeyAge is how long an unwrapped key is used before it is read from the
	// store again, because another node may have destroyed it: the minute that
	// seal.Vault promises.
	maxKeyAge = time.Minute
	// maxKeys limits the memory: an unwrapped key takes about 2 KiB.
	maxKeys = 10_000
)

// The first part of the associated data is the use of the key, so that bytes that were
// sealed for one use never open for another.
const (
	useData   = "samla/data/1"
	useSystem = "samla/system/1"
	useKey    = "samla/key/1"
)

var errNoKey = errors.New("keyset: the subject has no key")

// Vault is a seal.Vault.
type Vault struct {
	ring  *Ring
	keys  seal.Keys
	cache *lru.Cache[string, primitive.AEAD]
}

var _ seal.Vault = (*Vault)(nil)

// New returns a vault without epochs: it wraps data keys by the master key and stores
// them in keys.
func New(master *Master, keys seal.Keys, clk clock.Clock) (*Vault, error) {
	r := &Ring{clk: clk, interval: DefaultInterval}
	if err := r.setMaster(master); err != nil {
		return nil, err
	}
	return NewEpochs(r, keys, clk), nil
}

// NewEpochs returns a vault that wraps data keys by epoch keys, once the ring has begun,
// and stores them in keys.
func NewEpochs(ring *Ring, keys seal.Keys, clk clock.Clock) *Vault {
	return &Vault{ring, keys, lru.New[string, primitive.AEAD](clk, maxKeys, maxKeyAge)}
}

// errPlace is returned if System would seal at a place that is not in
// seal.SystemColumns.
var errPlace = errors.New("keyset: this column is not in seal.SystemColumns")

// sealingSystem returns the epoch and the key under which System seals at a place.
func (v *Vault) sealingSystem(at seal.Place) (seal.EpochID, primitive.AEAD, error) {
	if !slices.ContainsFunc(seal.SystemColumns(), func(c seal.SystemColumn) bool { return c.Table == at.Table && c.Column == at.Column }) {
		return "", nil, fmt.Errorf("%w: %s.%s", errPlace, at.Table, at.Column)
	}
	return v.ring.sealing()
}

// Seal implements seal.Vault.
func (v *Vault) Seal(ctx context.Context, subject string, at seal.Place, plain []byte) ([]byte, error) {
	var (
		epoch seal.EpochID
		key   primitive.AEAD
		err   error
	)
	if subject == seal.System {
		epoch, key, err = v.sealingSystem(at)
	} else {
		key, err = v.ensureKey(ctx, subject)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := key.Encrypt(plain, dataOf(subject, at))
	if err != nil {
		return nil, fmt.Errorf("keyset: seal: %w", err)
	}
	return append(epoch.Prefix(), sealed...), nil
}

// Open implements seal.Vault.
func (v *Vault) Open(ctx context.Context, subject string, at seal.Place, sealed []byte) ([]byte, error) {
	var (
		key primitive.AEAD
		err error
	)
	if subject == seal.System {
		var epoch seal.EpochID
		epoch, sealed = seal.EpochOf(sealed)
		key, err = v.ring.opening(epoch)
	} else {
		key, err = v.cache.Get(ctx, subject, func(ctx context.Context) (primitive.AEAD, error) {
			return v.load(ctx, subject)
		})
	}
	if errors.Is(err, errNoKey) {
		return nil, seal.ErrDecryption // nothing was ever sealed for this subject
	}
	if err != nil {
		return nil, err
	}
	plain, err := key.Decrypt(sealed, dataOf(subject, at))
	if err != nil {
		return nil, seal.ErrDecryption
	}
	return plain, nil
}

// dataOf returns the associated data of what is sealed for a subject at a place.
// For seal.System its subject is empty, as it was when seal.System was the empty
// string: what is stored must stay readable.
func dataOf(subject string, at seal.Place) []byte {
	if subject == seal.System {
		return associatedData(useSystem, "", at.Table, at.Column, at.Row)
	}
	return associatedData(useData, subject, at.Table, at.Column, at.Row)
}

// Evict implements seal.Vault.
func (v *Vault) Evict(subject string) { v.cache.Drop(subject) }

// ensureKey returns the subject's key. If there is none, it creates and stores one. If
// it shared the look-up of an Open, which creates no key, it gets errNoKey and tries
// again.
func (v *Vault) ensureKey(ctx context.Context, subject string) (primitive.AEAD, error) {
	for {
		key, err := v.cache.Get(ctx, subject, func(ctx context.Context) (primitive.AEAD, error) {
			key, err := v.load(ctx, subject)
			if errors.Is(err, errNoKey) {
				return v.create(ctx, subject)
			}
			return key, err
		})
		if !errors.Is(err, errNoKey) {
			return key, err
		}
	}
}

func (v *Vault) load(ctx context.Context, subject string) (primitive.AEAD, error) {
	if !seal.HasDataKey(subject) {
		return nil, seal.ErrNoSubject
	}
	wrapped, err := v.keys.DataKey(ctx, subject)
	if err != nil {
		return nil, err
	}
	if wrapped == nil {
		return nil, errNoKey
	}
	return v.unwrap(subject, wrapped)
}

// create stores a new key and returns the key that is stored afterwards: that of
// another node if that node was first.
func (v *Vault) create(ctx context.Context, subject string) (primitive.AEAD, error) {
	h, err := tink.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyset: make a data key: %w", err)
	}
	wrapped, err := v.wrap(subject, h)
	if err != nil {
		return nil, err
	}
	stored, err := v.keys.AddDataKey(ctx, subject, wrapped)
	if err != nil {
		return nil, err
	}
	return v.unwrap(subject, stored)
}

// wrap wraps a data key under the key of this epoch.
func (v *Vault) wrap(subject string, h *tink.Handle) ([]byte, error) {
	epoch, key, err := v.ring.sealing()
	if err != nil {
		return nil, err
	}
	wrapped := bytes.NewBuffer(epoch.Prefix())
	if err := h.WriteWithAssociatedData(tink.NewBinaryWriter(wrapped), key, associatedData(useKey, subject)); err != nil {
		return nil, fmt.Errorf("keyset: wrap a data key: %w", err)
	}
	return wrapped.Bytes(), nil
}

func (v *Vault) unwrap(subject string, wrapped []byte) (primitive.AEAD, error) {
	h, err := v.handle(subject, wrapped)
	if err != nil {
		return nil, err
	}
	key, err := aead.New(h)
	if err != nil {
		return nil, seal.ErrDecryption
	}
	return key, nil
}

func (v *Vault) handle(subject string, wrapped []byte) (*tink.Handle, error) {
	epoch, encrypted := seal.EpochOf(wrapped)
	key, err := v.ring.opening(epoch)
	if err != nil {
		return nil, err
	}
	h, err := tink.ReadWithAssociatedData(tink.NewBinaryReader(bytes.NewReader(encrypted)), key, associatedData(useKey, subject))
	if err != nil {
		return nil, seal.ErrDecryption
	}
	return h, nil
}

// Rewrap wraps a subject's data key again, under the key of this epoch. Errors:
// seal.ErrDecryption, or the key directory's.
func (v *Vault) Rewrap(subject string, wrapped []byte) ([]byte, error) {
	h, err := v.handle(subject, wrapped)
	if err != nil {
		return nil, err
	}
	return v.wrap(subject, h)
}

// Reseal seals again, under the key of this epoch, what System has sealed at a place.
// Errors: seal.ErrDecryption, or the key directory's.
func (v *Vault) Reseal(ctx context.Context, at seal.Place, sealed []byte) ([]byte, error) {
	plain, err := v.Open(ctx, seal.System, at, sealed)
	if err != nil {
		return nil, err
	}
	return v.Seal(ctx, seal.System, at, plain)
}

// associatedData encodes parts. Each part is preceded by its length, so that two
// different lists of parts never give the same bytes.
func associatedData(parts ...string) []byte {
	n := 0
	for _, p := range parts {
		n += binary.MaxVarintLen16 + len(p)
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}
