// Package backup owns the form of backups: a snapshot of a database, encrypted as a whole
// with a key that is wrapped by an epoch key. When that is destroyed, nothing of the
// backup can be read, also not what the database holds in clear (docs/operate-backup.md).
package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"

	"samla/internal/durable"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store"
)

// form is the version of the form.
const form = 1

// maxHeader is the maximum length of the first line in bytes.
const maxHeader = 1 << 16

// ErrDamaged means that a file is no whole backup: it was cut or changed, or is another
// kind of file.
var ErrDamaged = errors.New("the file is not a whole backup")

// Header is the first line of a backup, in clear. It authenticates the rest.
type Header struct {
	Form   int       `json:"samlaBackup"`
	ID     string    `json:"id"`
	At     time.Time `json:"at"`     // everything that was committed by then is in the backup
	Schema int64     `json:"schema"` // number of the newest migration
	Engine string    `json:"engine"`
	Key    []byte    `json:"key"` // wrapped
}

// Epoch returns the epoch whose key opens the backup.
func (h Header) Epoch() seal.EpochID {
	id, _ := seal.EpochOf(h.Key)
	return id
}

// Manifest says what is in a backup.
type Manifest struct {
	ID     string           `json:"id"`
	At     time.Time        `json:"at"`
	Schema int64            `json:"schema"`
	Engine string           `json:"engine"`
	Epoch  seal.EpochID     `json:"epoch"`
	Rows   map[string]int64 `json:"rows"` // by table
	Bytes  int64            `json:"bytes"`
	SHA256 string           `json:"sha256"` // of the file
}

// Source is a store that can be backed up.
type Source interface {
	store.Snapshots
	Kind() string
}

// Write writes a backup of a store to a new file of mode 0600. When it returns nil, the
// file is on disk; after an error or a crash there is no file of that name.
func Write(ctx context.Context, path, id string, at time.Time, s Source, ring *keyset.Ring) (m Manifest, err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("%s exists already: name another file", path)
	}
	schema, err := s.Schema(ctx)
	if err != nil {
		return m, err
	}
	stream, wrapped, err := ring.NewStreamKey(id)
	if err != nil {
		return m, err
	}
	header := Header{Form: form, ID: id, At: at.UTC().Truncate(time.Microsecond), Schema: schema, Engine: s.Kind(), Key: wrapped}
	first, err := json.Marshal(header)
	if err != nil {
		return m, err
	}
	first = append(first, '\n')
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-*") // mode 0600
	if err != nil {
		return m, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	sum, size := sha256.New(), new(counter)
	out := bufio.NewWriterSize(io.MultiWriter(f, sum, size), 1<<20)
	rows := map[string]int64{}
	err = func() error {
		if _, err := out.Write(first); err != nil {
			return err
		}
		sealing, err := stream.NewEncryptingWriter(out, first)
		if err != nil {
			return err
		}
		plain := bufio.NewWriterSize(sealing, 1<<16)
		w := &writer{w: plain, rows: rows}
		if err := s.Snapshot(ctx, w); err != nil {
			return err
		}
		return errors.Join(w.end(), plain.Flush(), sealing.Close(), out.Flush(), f.Sync())
	}()
	if err = errors.Join(err, f.Close()); err != nil {
		return m, fmt.Errorf("write the backup: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil { // fails if the name is taken
		return m, err
	}
	return Manifest{header.ID, header.At, header.Schema, header.Engine, header.Epoch(), rows, int64(*size), hex.EncodeToString(sum.Sum(nil))},
		durable.SyncDir(filepath.Dir(path))
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// File is an open backup.
type File struct {
	Header
	f     *os.File
	in    *bufio.Reader // the file, of which what is read is summed and counted
	sum   hash.Hash
	size  counter
	plain *bufio.Reader
}

// Open opens a backup for reading. Errors: ErrDamaged; seal.ErrDecryption, with
// seal.ErrEpochDestroyed when its epoch key is not in the key directory.
func Open(path string, ring *keyset.Ring) (_ *File, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	b := &File{f: f, sum: sha256.New()}
	in := bufio.NewReaderSize(io.TeeReader(f, io.MultiWriter(b.sum, &b.size)), 1<<20)
	b.in = in
	first, err := in.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	end := bytes.IndexByte(first, '\n')
	if end < 0 || json.Unmarshal(first[:end], &b.Header) != nil || b.Form == 0 {
		return nil, ErrDamaged
	}
	if b.Form != form {
		return nil, fmt.Errorf("the backup has form %d, which this release does not read", b.Form)
	}
	line := bytes.Clone(first[:end+1])
	if _, err := in.Discard(len(line)); err != nil {
		return nil, err
	}
	stream, err := ring.OpenStreamKey(b.ID, b.Key)
	if err != nil {
		return nil, fmt.Errorf("the backup of %s cannot be opened: %w", b.At.Format(time.RFC3339), err)
	}
	opening, err := stream.NewDecryptingReader(in, line)
	if err != nil {
		return nil, ErrDamaged
	}
	b.plain = bufio.NewReaderSize(opening, 1<<16)
	return b, nil
}

// Close closes the file.
func (b *File) Close() error { return b.f.Close() }

// Verify reads a whole backup and returns its manifest, the same as Write did.
// Errors: those of Open.
func Verify(path string, ring *keyset.Ring) (m Manifest, err error) {
	b, err := Open(path, ring)
	if err != nil {
		return m, err
	}
	defer b.Close()
	r := b.Reader()
	for {
		if _, err := r.Table(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return m, err
		}
		for {
			if _, err := r.Row(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return m, err
			}
		}
	}
	if _, err := io.Copy(io.Discard, b.in); err != nil {
		return m, err
	}
	return Manifest{b.ID, b.At, b.Schema, b.Engine, b.Epoch(), r.rows, int64(b.size), hex.EncodeToString(b.sum.Sum(nil))}, nil
}
