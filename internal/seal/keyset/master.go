package keyset

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	tink "github.com/tink-crypto/tink-go/v2/keyset"
)

// ErrNoMasterKey is returned if no master key was configured.
var ErrNoMasterKey = errors.New("no master key is configured")

// ErrFileMode is returned if users other than its owner can read the file of the master
// key.
var ErrFileMode = errors.New("the master key's file must be readable by its owner only (mode 0600)")

// maxMaster is the maximum size of the file of a master key in bytes. A keyset that was
// rotated many times is far smaller.
const maxMaster = 1 << 20

// Master is the keyset that wraps every data key. Its primary key wraps; all of
// its keys unwrap. Formatting it prints no key material.
type Master struct{ handle *tink.Handle }

// NewMaster returns a new master keyset with one AES256-GCM key.
func NewMaster() (*Master, error) {
	h, err := tink.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyset: make a master key: %w", err)
	}
	return &Master{h}, nil
}

// GenerateMaster creates a new master keyset and writes it to w in the form of
// Master.Write.
func GenerateMaster(w io.Writer) error {
	m, err := NewMaster()
	if err != nil {
		return err
	}
	return m.Write(w)
}

// Rotated returns the keyset with a new primary key. The old keys stay in it, so
// that what they wrapped can still be unwrapped.
func (m *Master) Rotated() (*Master, error) {
	manager := tink.NewManagerFromHandle(m.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyset: add a master key: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("keyset: set the primary master key: %w", err)
	}
	h, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("keyset: rotate the master key: %w", err)
	}
	return &Master{h}, nil
}

// Write writes the keyset in cleartext, as Tink JSON. Where it goes must be as
// secret as the key itself: a file of mode 0600.
func (m *Master) Write(w io.Writer) error {
	if err := insecurecleartextkeyset.Write(m.handle, tink.NewJSONWriter(w)); err != nil {
		return fmt.Errorf("keyset: write the master key: %w", err)
	}
	return nil
}

// LoadMaster reads the master keyset from a file, or from text, which is the
// base64 of such a file's bytes (environment SAMLA_MASTER_KEY). It is an error
// to give both. Errors: ErrNoMasterKey when neither is given, ErrFileMode, or the
// file system's. No error repeats a part of the key.
func LoadMaster(file, text string) (*Master, error) {
	switch {
	case file != "" && text != "":
		return nil, errors.New("the master key is given twice, as a file and in the environment")
	case file != "":
		return loadFile(file)
	case text != "":
		return loadText(text)
	}
	return nil, ErrNoMasterKey
}

func loadFile(path string) (*Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	defer f.Close()
	// Stat of the opened file, because the path may name another file by now.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("the master key's file is not a regular file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, ErrFileMode
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMaster))
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	return parse(b)
}

func loadText(text string) (*Master, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("the master key is not base64") // err may quote the input
	}
	return parse(b)
}

// parse reads a Tink keyset in cleartext, JSON or binary.
func parse(b []byte) (*Master, error) {
	var r tink.Reader = tink.NewBinaryReader(bytes.NewReader(b))
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		r = tink.NewJSONReader(bytes.NewReader(trimmed))
	}
	h, err := insecurecleartextkeyset.Read(r)
	if err != nil {
		return nil, errors.New("the master key is not a Tink keyset") // err may quote the input
	}
	if _, err := aead.New(h); err != nil {
		return nil, errors.New("the master keyset has keys that are not for authenticated encryption")
	}
	return &Master{h}, nil
}

// String returns the name of the type, never key material.
func (m *Master) String() string { return "keyset.Master" }

// GoString is String, for %#v.
func (m *Master) GoString() string { return "keyset.Master" }
