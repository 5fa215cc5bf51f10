package keyset

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	tink "github.com/tink-crypto/tink-go/v2/keyset"
	primitive "github.com/tink-crypto/tink-go/v2/tink"

	"samla/internal/clock"
	"samla/internal/durable"
	"samla/internal/seal"
)

// DefaultInterval is how long data keys are wrapped under one epoch key.
const DefaultInterval = 24 * time.Hour

// RingConfig configures a Ring. Dir, Master and Clock are required.
type RingConfig struct {
	// Dir is the key directory; it is created if it does not exist. It is readable by its
	// owner only, and belongs to one database: all its nodes share it.
	Dir    string
	Master *Master
	// Reload reads the master key again, after it was rotated; nil = it never is.
	Reload   func() (*Master, error)
	Interval time.Duration // 0 = DefaultInterval
	Clock    clock.Clock
}

// Ring is the key directory of an installation: the epoch keys, each in a file and
// wrapped by the master key. Another node's new file is found when it is needed. A Ring
// is safe for concurrent use, also by several processes.
type Ring struct {
	dir      string
	reload   func() (*Master, error)
	interval time.Duration
	clk      clock.Clock

	begun   atomic.Bool
	owned   atomic.Bool // the directory has the name of its installation
	master  atomic.Pointer[masterKey]
	current atomic.Pointer[epochKey]
	mu      sync.Mutex // held while a file is read or created
	known   sync.Map   // seal.EpochID -> *epochKey
}

// masterKey is a master keyset that is ready for use.
type masterKey struct {
	*Master
	aead primitive.AEAD
}

// epochKey is an epoch key in memory.
type epochKey struct {
	id    seal.EpochID
	aead  primitive.AEAD
	until time.Time // end of the epoch
}

// OpenRing opens the key directory, and reads its keys so that a wrong master key is
// found at once. Errors: durable.ErrMode; seal.ErrDecryption when a file was wrapped by
// another master key.
func OpenRing(c RingConfig) (*Ring, error) {
	if c.Interval <= 0 {
		c.Interval = DefaultInterval
	}
	r := &Ring{dir: c.Dir, reload: c.Reload, interval: c.Interval, clk: c.Clock}
	if err := r.setMaster(c.Master); err != nil {
		return nil, err
	}
	if err := durable.Private(c.Dir); err != nil {
		return nil, fmt.Errorf("the key directory: %w", err)
	}
	ids, err := r.IDs()
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		_, err := r.key(id)
		switch {
		case errors.Is(err, seal.ErrDecryption):
			return nil, fmt.Errorf("epoch key %s in %s was wrapped by another master key: %w", id, c.Dir, err)
		case err != nil && !errors.Is(err, seal.ErrEpochDestroyed):
			return nil, fmt.Errorf("epoch key %s: %w", id, err)
		}
	}
	return r, nil
}

func (r *Ring) setMaster(m *Master) error {
	a, err := aead.New(m.handle)
	if err != nil {
		return fmt.Errorf("keyset: use the master key: %w", err)
	}
	r.master.Store(&masterKey{m, a})
	return nil
}

// reloadMaster reads the master key again and reports whether it was read.
func (r *Ring) reloadMaster() bool {
	if r.reload == nil {
		return false
	}
	m, err := r.reload()
	return err == nil && r.setMaster(m) == nil
}

// Dir returns the key directory.
func (r *Ring) Dir() string { return r.dir }

// Begin lets vaults wrap and seal under epoch keys. Before it they use the master key,
// so that nodes of the release before can read what they write.
func (r *Ring) Begin() { r.begun.Store(true) }

// Lock keeps other processes from creating, wrapping again and destroying epoch keys.
// Without wait it returns durable.ErrLocked when another one has the lock.
func (r *Ring) Lock(wait bool) (unlock func(), err error) { return r.lock("lock", wait) }

// LockRewrap lets one process at a time wrap the data keys of the database again. It does
// not wait. Error: durable.ErrLocked.
func (r *Ring) LockRewrap() (unlock func(), err error) { return r.lock("rewrap.lock", false) }

func (r *Ring) lock(name string, wait bool) (unlock func(), err error) {
	if err := r.present(); err != nil {
		return nil, err
	}
	f, err := durable.Lock(filepath.Join(r.dir, name), wait)
	if err != nil {
		return nil, fmt.Errorf("the key directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

// Current returns the id of the epoch of now, and of the one that follows it. The keys of
// these two are in use; nodes whose clocks differ may be in either.
func (r *Ring) Current() (now, next seal.EpochID) {
	t := r.clk.Now()
	return seal.EpochAt(t, r.interval), seal.EpochAt(t.Add(r.interval), r.interval)
}

// IDs lists the epochs whose keys are in the directory, oldest first.
func (r *Ring) IDs() ([]seal.EpochID, error) {
	if err := r.present(); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(r.dir, filePrefix+"*"+fileSuffix))
	if err != nil {
		return nil, err
	}
	var ids []seal.EpochID
	for _, f := range files {
		id := seal.EpochID(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), filePrefix), fileSuffix))
		if _, ok := id.Begin(); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// sealing returns the epoch and the key that wraps and seals now.
func (r *Ring) sealing() (seal.EpochID, primitive.AEAD, error) {
	if !r.begun.Load() {
		return "", r.master.Load().aead, nil
	}
	k, err := r.ensure()
	if err != nil {
		return "", nil, err
	}
	return k.id, k.aead, nil
}

// ensure returns the key of the epoch of now, and creates it if there is none.
func (r *Ring) ensure() (*epochKey, error) {
	now := r.clk.Now()
	if k := r.current.Load(); k != nil && now.Before(k.until) {
		return k, nil // an epoch that this node has begun is not left because a clock goes back
	}
	id := seal.EpochAt(now, r.interval)
	k, err := r.key(id)
	if errors.Is(err, seal.ErrEpochDestroyed) {
		if err = r.create(id, now); err == nil {
			k, err = r.key(id)
		}
	}
	if err != nil {
		// The directory does not answer: the last key serves for as long again.
		if last := r.current.Load(); last != nil && now.Before(last.until.Add(r.interval)) {
			return last, nil
		}
		return nil, fmt.Errorf("keyset: the key of this epoch: %w", err)
	}
	k = &epochKey{k.id, k.aead, now.Truncate(r.interval).Add(r.interval)}
	r.current.Store(k)
	return k, nil
}

// create makes an epoch key and stores it. It is no error when another node was first.
// The master key is read again before, so that the file is wrapped by the newest one.
func (r *Ring) create(id seal.EpochID, now time.Time) error {
	unlock, err := r.Lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	r.reloadMaster()
	h, err := tink.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make an epoch key: %w", err)
	}
	b, err := r.encode(id, now, h)
	if err != nil {
		return err
	}
	if err := durable.Create(r.path(id), b); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// key returns the key of an epoch. Errors: seal.ErrEpochDestroyed when it has no file,
// seal.ErrDecryption when another master key has wrapped it.
func (r *Ring) key(id seal.EpochID) (*epochKey, error) {
	if k, ok := r.known.Load(id); ok {
		return k.(*epochKey), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k, ok := r.known.Load(id); ok {
		return k.(*epochKey), nil
	}
	h, err := r.read(id)
	if errors.Is(err, seal.ErrDecryption) && r.reloadMaster() {
		h, err = r.read(id) // it was wrapped again
	}
	if err != nil {
		return nil, err
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, seal.ErrDecryption
	}
	k := &epochKey{id: id, aead: a}
	r.known.Store(id, k)
	return k, nil
}

// opening returns the key that opens what was sealed under an epoch; that of the empty
// id is the master key.
func (r *Ring) opening(id seal.EpochID) (primitive.AEAD, error) {
	if id == "" {
		return reloading{r, r.master.Load().aead}, nil
	}
	k, err := r.key(id)
	switch {
	case errors.Is(err, seal.ErrEpochDestroyed):
		return nil, fmt.Errorf("%w: %w", seal.ErrDecryption, err)
	case err != nil:
		return nil, err
	}
	return k.aead, nil
}

// reloading decrypts with the master key, and reads it again when that fails.
type reloading struct {
	*Ring
	primitive.AEAD
}

// Decrypt implements tink.AEAD.
func (k reloading) Decrypt(ciphertext, associated []byte) ([]byte, error) {
	plain, err := k.AEAD.Decrypt(ciphertext, associated)
	if err != nil && k.reloadMaster() {
		return k.master.Load().aead.Decrypt(ciphertext, associated)
	}
	return plain, err
}

// Forget drops the epoch keys from memory that have no file any more.
func (r *Ring) Forget() error {
	ids, err := r.IDs()
	if err != nil {
		return err
	}
	r.known.Range(func(id, _ any) bool {
		if !slices.Contains(ids, id.(seal.EpochID)) {
			r.known.Delete(id)
		}
		return true
	})
	return nil
}
