// Package specs finds the third-party specifications that tests validate
// against. The project holds no copy of them: they lie in the folder that the
// environment variable SAMLA_SPECS names, or in shared/specs beside the folder
// of the module. Where neither has the file, a test that needs it is skipped
// with that reason, unless SAMLA_SPECS_REQUIRED is set: then it fails.
//
// Only tests import this package.
package specs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const (
	// Folder is the environment variable that names the folder of the
	// specifications. A relative path counts from the root of the module.
	Folder = "SAMLA_SPECS"
	// Required is the environment variable that turns the skip of a test into a
	// failure. Any value but the empty one sets it.
	Required = "SAMLA_SPECS_REQUIRED"
)

// File is one specification: its path below the folder, with slashes, and the
// SHA-256 of the content that our tests are written for, in lower-case hex.
type File struct {
	Path, SHA256 string
	// Private: its publisher allows no copies, so it is there only if somebody has put
	// it there. Its content is not verified, and its absence is never a failure.
	Private bool
}

// BerlinGroup13 is the OpenAPI definition "NextGenPSD2 XS2A Framework" 1.3.12,
// as JSON (docs/reference/banks.md 10).
var BerlinGroup13 = File{
	Path:   "berlin-group/berlin-group-psd2-1.3.12.json",
	SHA256: "fd4bca36332c365de0d34e2a8411363b564eb02f2a1f5f8fa7e5c3ded2437801",
}

// EnableBanking is the OpenAPI 3.1 file of Enable Banking, as JSON
// (docs/reference/families.md 11.1). It has no licence.
var EnableBanking = File{Path: "enablebanking/openapi.json", Private: true}

// OFX2 is the schema of OFX 2.2. It has no licence; the files that it includes are beside it.
var OFX2 = File{Path: "ofx/OFX2_Protocol.xsd", Private: true}

var (
	// ErrMissing is wrapped by the error about a file that is not there.
	ErrMissing = errors.New("specs: file not found")
	// ErrPrivate is wrapped too if the file is Private.
	ErrPrivate = errors.New("specs: its publisher allows no copies")
	// ErrChanged is wrapped by the error about a file with another SHA-256.
	ErrChanged = errors.New("specs: not the file that the tests are written for")
)

// Load reads a specification and verifies its SHA-256. The error wraps
// ErrMissing or ErrChanged, or is the error of the read.
func Load(f File) ([]byte, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
	if errors.Is(err, fs.ErrNotExist) && f.Private {
		return nil, fmt.Errorf("%w (%w): %s in %s; %s names another folder", ErrMissing, ErrPrivate, f.Path, dir, Folder)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s in %s; %s names another folder", ErrMissing, f.Path, dir, Folder)
	}
	if err != nil {
		return nil, fmt.Errorf("specs: %w", err)
	}
	if f.Private {
		return data, nil
	}
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != f.SHA256 {
		return nil, fmt.Errorf("%w: %s has the SHA-256 %s, want %s", ErrChanged, f.Path, got, f.SHA256)
	}
	return data, nil
}

// Path is Load for a program that reads the file, and those beside it, itself.
func Path(f File) (string, error) {
	if _, err := Load(f); err != nil {
		return "", err
	}
	dir, err := folder()
	return filepath.Join(dir, filepath.FromSlash(f.Path)), err
}

// Optional reports whether a test may do without the file about which Load
// returned err: the file is missing and not required.
func Optional(err error) bool {
	return errors.Is(err, ErrPrivate) || errors.Is(err, ErrMissing) && os.Getenv(Required) == ""
}

// Read is Load for a test that cannot run without the file: it skips the test
// when the file is missing and not required, and fails it on any other error.
func Read(tb testing.TB, f File) []byte {
	tb.Helper()
	data, err := Load(f)
	if Optional(err) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// folder is the folder of the specifications. It need not exist.
func folder() (string, error) {
	dir := os.Getenv(Folder)
	if filepath.IsAbs(dir) {
		return dir, nil
	}
	root, err := ModuleRoot()
	if err != nil {
		return "", err
	}
	if dir == "" {
		dir = filepath.Join("..", "shared", "specs")
	}
	return filepath.Join(root, dir), nil
}

// ModuleRoot is the closest folder above the working directory with a go.mod;
// go test runs a test in the folder of its package.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("specs: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("specs: no go.mod above the working directory")
		}
		dir = parent
	}
}
