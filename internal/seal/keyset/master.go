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

// ErrNoMaster says that no master key was configured.
var ErrNoMaster = errors.New("keyset: no master key is configured")

// ErrOpenFile says that others than its owner can read the master key's file.
var ErrOpenFile = errors.New("keyset: the master key's file must be readable by its owner only (mode 0600)")

// maxMaster is far more than a keyset of many generations needs.
const maxMaster = 1 << 20

// Master is the keyset that wraps every data key. Its primary key wraps, all of
// its keys unwrap. It never shows key material in text.
type Master struct{ handle *tink.Handle }

// NewMaster makes a master keyset with one AES256-GCM key.
func NewMaster() (*Master, error) {
	h, err := tink.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("keyset: make a master key: %w", err)
	}
	return &Master{h}, nil
}

// GenerateMaster makes a master keyset and writes it as Write does.
func GenerateMaster(w io.Writer) error {
	m, err := NewMaster()
	if err != nil {
		return err
	}
	return m.Write(w)
}

// Rotated returns the keyset with a new primary key. The old keys stay in it:
// what they wrapped keeps opening.
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

// Write writes the keyset in the clear, as Tink JSON. The writer's target must
// be as secret as the key: a file of mode 0600.
func (m *Master) Write(w io.Writer) error {
	if err := insecurecleartextkeyset.Write(m.handle, tink.NewJSONWriter(w)); err != nil {
		return fmt.Errorf("keyset: write the master key: %w", err)
	}
	return nil
}

// LoadMaster takes the master keyset from a file, or from text, which is the
// base64 of such a file's bytes (environment SAMLA_MASTER_KEY). It is an error
// to give both, and ErrNoMaster to give neither. Errors: ErrOpenFile, the file
// system's; none repeats a part of the key.
func LoadMaster(file, text string) (*Master, error) {
	switch {
	case file != "" && text != "":
		return nil, errors.New("keyset: the master key is given twice, as a file and in the environment")
	case file != "":
		return loadFile(file)
	case text != "":
		return loadText(text)
	}
	return nil, ErrNoMaster
}

func loadFile(path string) (*Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	defer f.Close()
	// The opened file is asked, not the path, which may have changed meanwhile.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("keyset: the master key's file is no regular file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, ErrOpenFile
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMaster))
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	return parse(b)
}

func loadText(text string) (*Master, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errors.New("keyset: the master key is not base64") // err may quote the input
	}
	return parse(b)
}

// parse reads a Tink keyset in the clear, JSON or binary.
func parse(b []byte) (*Master, error) {
	var r tink.Reader = tink.NewBinaryReader(bytes.NewReader(b))
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		r = tink.NewJSONReader(bytes.NewReader(trimmed))
	}
	h, err := insecurecleartextkeyset.Read(r)
	if err != nil {
		return nil, errors.New("keyset: the master key is no Tink keyset") // err may quote the input
	}
	if _, err := aead.New(h); err != nil {
		return nil, errors.New("keyset: the master keyset is not one for authenticated encryption")
	}
	return &Master{h}, nil
}

// String names the type only.
func (m *Master) String() string { return "keyset.Master" }

// GoString names the type only.
func (m *Master) GoString() string { return "keyset.Master" }
