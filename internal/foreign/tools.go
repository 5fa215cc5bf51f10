package foreign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Tool runs a program of the machine and returns what it printed to both streams; its exit
// status must be 0. pkg is the Debian package that has it: tools/deps.sh installs it.
func Tool(tb testing.TB, pkg, name string, args ...string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(tb, fmt.Errorf("foreign: no %s on this machine (Debian's package %s)", name, pkg))
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("foreign: %s: %v:\n%.3000s", name, err, out)
	}
	return string(out)
}

// File returns the path of a file that a Debian package has, by a pattern.
func File(tb testing.TB, pkg, pattern string) string {
	tb.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	if len(found) == 0 {
		missing(tb, fmt.Errorf("foreign: no %s on this machine (Debian's package %s)", pattern, pkg))
	}
	return found[0]
}

// ModuleFile returns the path of a file of a Go module, such as a schema that its authors
// publish with it. The go command downloads the module if it is not in its cache.
func ModuleFile(tb testing.TB, module, version, path, sum string) string {
	tb.Helper()
	c := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	c.Dir = tb.TempDir() // outside of any module
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	var found struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil {
		missing(tb, fmt.Errorf("foreign: module %s: %w: %.500s%.500s", module, err, out, errs.String()))
	}
	path = filepath.Join(found.Dir, filepath.FromSlash(path))
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
		tb.Fatalf("foreign: %s has the SHA-256 %x", path, got)
	}
	return path
}

func missing(tb testing.TB, err error) {
	tb.Helper()
	if os.Getenv(Required) == "" {
		tb.Skip(err)
	}
	tb.Fatal(err)
}
