package specs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"samla/internal/specs"
)

// stored writes content into a new folder of specifications and returns it as
// a file with the right sum.
func stored(t *testing.T, content string) specs.File {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(specs.Folder, dir)
	sum := sha256.Sum256([]byte(content))
	return specs.File{Path: "a.json", SHA256: hex.EncodeToString(sum[:])}
}

func TestLoad_ReturnsContent(t *testing.T) {
	f := stored(t, "{}")
	if got, err := specs.Load(f); err != nil || string(got) != "{}" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestLoad_RefusesChangedFile(t *testing.T) {
	f := stored(t, "{}")
	f.SHA256 = strings.Repeat("0", 64)
	if _, err := specs.Load(f); !errors.Is(err, specs.ErrChanged) || specs.Optional(err) {
		t.Errorf("got %v", err)
	}
}

func TestLoad_MissingFileIsOptionalUnlessRequired(t *testing.T) {
	stored(t, "{}")
	t.Setenv(specs.Required, "")
	_, err := specs.Load(specs.File{Path: "b.json"})
	if !errors.Is(err, specs.ErrMissing) || !specs.Optional(err) {
		t.Errorf("got %v", err)
	}
	t.Setenv(specs.Required, "1")
	if specs.Optional(err) {
		t.Error("a required file is optional")
	}
	if specs.Optional(nil) {
		t.Error("no error is optional")
	}
}

func TestLoad_RelativeFolderCountsFromModule(t *testing.T) {
	t.Setenv(specs.Folder, "internal/specs")
	sum := sha256.Sum256(nil)
	_, err := specs.Load(specs.File{Path: "specs.go", SHA256: hex.EncodeToString(sum[:])})
	if !errors.Is(err, specs.ErrChanged) { // found, but of course not empty
		t.Errorf("got %v", err)
	}
}

// recorder is a testing.TB that records how the test ended.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()      {}
func (r *recorder) Skip(...any)  { r.skipped = true; runtime.Goexit() }
func (r *recorder) Fatal(...any) { r.failed = true; runtime.Goexit() }

func TestRead_SkipsOrFails(t *testing.T) {
	f := stored(t, "{}")
	missing := specs.File{Path: "b.json"}
	changed := specs.File{Path: f.Path, SHA256: "0"}
	for _, c := range []struct {
		name, required  string
		file            specs.File
		skipped, failed bool
	}{
		{"there", "1", f, false, false},
		{"missing", "", missing, true, false},
		{"missing and required", "1", missing, false, true},
		{"changed", "", changed, false, true},
	} {
		t.Setenv(specs.Required, c.required)
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			specs.Read(r, c.file)
		}()
		<-done
		if r.skipped != c.skipped || r.failed != c.failed {
			t.Errorf("%s: skipped %v, failed %v", c.name, r.skipped, r.failed)
		}
	}
}

// The list of the folder names the same content as this package.
func TestBerlinGroup13_IsTheListedFile(t *testing.T) {
	specs.Read(t, specs.BerlinGroup13)
	dir := os.Getenv(specs.Folder)
	if dir == "" {
		dir = "../shared/specs"
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", "..", dir)
	}
	list, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(specs.BerlinGroup13.Path)
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "| `"+name+"`") {
			if !strings.Contains(line, specs.BerlinGroup13.SHA256) {
				t.Errorf("the folder lists another SHA-256 for %s: %s", name, line)
			}
			return
		}
	}
	t.Errorf("the folder does not list %s", name)
}

func TestLoad_PrivateFileHasAnyContentAndIsNeverRequired(t *testing.T) {
	f := stored(t, "{}")
	t.Setenv(specs.Required, "1")
	if got, err := specs.Load(specs.File{Path: f.Path, Private: true}); err != nil || string(got) != "{}" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := specs.Load(specs.File{Path: "b.json", Private: true}); !errors.Is(err, specs.ErrMissing) || !specs.Optional(err) {
		t.Errorf("got %v", err)
	}
}
