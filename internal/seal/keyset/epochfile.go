package keyset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	tink "github.com/tink-crypto/tink-go/v2/keyset"

	"samla/internal/durable"
	"samla/internal/seal"
)

// The names of files in the key directory.
const (
	filePrefix   = "epoch-"
	fileSuffix   = ".json"
	unusedSuffix = ".unused"
	ownerFile    = "installation"
)

// maxFile is the maximum size of a file in bytes; they have some hundred.
const maxFile = 1 << 16

// useEpoch is the use of the master key when it wraps an epoch key.
const useEpoch = "samla/epoch/1"

// epochFile is the content of a file.
type epochFile struct {
	Epoch   seal.EpochID `json:"epoch"`
	Created time.Time    `json:"created"`
	Wrapped []byte       `json:"wrapped"` // Tink's encrypted keyset
}

func (r *Ring) path(id seal.EpochID) string {
	return filepath.Join(r.dir, filePrefix+string(id)+fileSuffix)
}

func (r *Ring) unusedPath(id seal.EpochID) string {
	return filepath.Join(r.dir, filePrefix+string(id)+unusedSuffix)
}

// encode wraps an epoch key by the master key.
func (r *Ring) encode(id seal.EpochID, created time.Time, h *tink.Handle) ([]byte, error) {
	var wrapped bytes.Buffer
	err := h.WriteWithAssociatedData(tink.NewBinaryWriter(&wrapped), r.master.Load().aead, associatedData(useEpoch, string(id)))
	if err != nil {
		return nil, fmt.Errorf("keyset: wrap an epoch key: %w", err)
	}
	return json.Marshal(epochFile{id, created.UTC(), wrapped.Bytes()})
}

// load reads a file. Errors: seal.ErrEpochDestroyed when there is none.
func (r *Ring) load(id seal.EpochID) (epochFile, error) {
	var f epochFile
	b, err := durable.Read(r.path(id), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := r.present(); err != nil {
			return f, err
		}
		return f, seal.ErrEpochDestroyed
	}
	if err != nil {
		return f, err
	}
	if json.Unmarshal(b, &f) != nil || f.Epoch != id {
		return f, fmt.Errorf("keyset: %s is damaged", r.path(id))
	}
	return f, nil
}

// read reads and unwraps an epoch key. Errors: those of load, and seal.ErrDecryption.
func (r *Ring) read(id seal.EpochID) (*tink.Handle, error) {
	f, err := r.load(id)
	if err != nil {
		return nil, err
	}
	h, err := tink.ReadWithAssociatedData(tink.NewBinaryReader(bytes.NewReader(f.Wrapped)), r.master.Load().aead, associatedData(useEpoch, string(id)))
	if err != nil {
		return nil, seal.ErrDecryption
	}
	return h, nil
}

// Own writes into the directory to which installation it belongs, at its first use. From then
// on, the directory is taken to be there only as long as that file is. Error: one that says so
// when it belongs to another one.
func (r *Ring) Own(installation string) error {
	path := filepath.Join(r.dir, ownerFile)
	err := durable.Create(path, []byte(installation+"\n"))
	if errors.Is(err, fs.ErrExist) {
		var b []byte
		if b, err = durable.Read(path, maxFile); err == nil && string(bytes.TrimSpace(b)) != installation {
			err = fmt.Errorf("the key directory %s belongs to another database: each has one of its own, which its nodes share", r.dir)
		}
	}
	if err == nil {
		r.owned.Store(true)
	}
	return err
}

// present returns an error while the directory is not there, although it was. Its mount may
// be away, and an empty directory in its place: then no key is destroyed, and none may be
// created or forgotten.
func (r *Ring) present() error {
	if !r.owned.Load() {
		return nil
	}
	if _, err := os.Stat(filepath.Join(r.dir, ownerFile)); err != nil {
		return fmt.Errorf("the key directory is not there: %w", err)
	}
	return nil
}

// UnusedSince returns when an epoch key was first found to be needed by no row of the
// database, and zero when it is needed.
func (r *Ring) UnusedSince(id seal.EpochID) (time.Time, error) {
	b, err := durable.Read(r.unusedPath(id), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, string(bytes.TrimSpace(b)))
	if err != nil {
		return time.Time{}, fmt.Errorf("keyset: %s is damaged", r.unusedPath(id))
	}
	return t, nil
}

// SetUnused stores what UnusedSince returns; a zero time removes it.
func (r *Ring) SetUnused(id seal.EpochID, since time.Time) error {
	if since.IsZero() {
		return durable.Erase(r.unusedPath(id))
	}
	return durable.Replace(r.unusedPath(id), []byte(since.UTC().Format(time.RFC3339Nano)+"\n"))
}

// Destroy destroys an epoch key: its file is overwritten and deleted, and it is dropped
// from memory; other nodes drop it with Forget. The caller has the lock.
func (r *Ring) Destroy(id seal.EpochID) error {
	if err := durable.Erase(r.path(id)); err != nil {
		return fmt.Errorf("keyset: destroy epoch key %s: %w", id, err)
	}
	r.known.Delete(id)
	return durable.Erase(r.unusedPath(id))
}
