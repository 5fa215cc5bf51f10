// Package foreign starts programs that are not ours, so that tests do not only meet our own
// reading of a standard: an authorisation server (ory/fosite) and a verifier of HTTP
// signatures (go-fed/httpsig). They are a module of their own, test/foreign, whose
// dependencies stay out of Samla's; this package builds and runs them. It also runs programs
// of Debian, and finds schemas that are published in Go modules.
//
// Where they cannot be built or are not there, a test that needs them is skipped with that reason, unless
// SAMLA_TEST_REQUIRE_FOREIGN is set: then it fails.
//
// Only tests import this package. Source: docs/reference/families.md 14.3.
package foreign

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"samla/internal/specs"
)

// Required is the environment variable that turns the skip of a test into a failure.
const Required = "SAMLA_TEST_REQUIRE_FOREIGN"

// build builds a command of the module once for each process of tests, and returns its path.
func build(name string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		root, err := specs.ModuleRoot()
		if err != nil {
			return "", fmt.Errorf("foreign: %w", err)
		}
		dir := filepath.Join(root, "bin", "foreign")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", fmt.Errorf("foreign: %w", err)
		}
		source, path := filepath.Join(root, "test", "foreign"), filepath.Join(dir, name)
		if fresh(path, source) {
			return path, nil
		}
		// Other processes of tests build and run the same program: it is replaced as a whole.
		temp, err := os.MkdirTemp(dir, "build-")
		if err != nil {
			return "", fmt.Errorf("foreign: %w", err)
		}
		defer func() { _ = os.RemoveAll(temp) }()
		made := filepath.Join(temp, name)
		// As the program of users is built: what both need is compiled once.
		c := exec.Command("go", "build", "-trimpath", "-o", made, "./cmd/"+name)
		c.Dir, c.Env = source, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("foreign: building %s: %w: %.2000s", name, err, out)
		}
		return path, os.Rename(made, path)
	})
}

// fresh reports whether the program is younger than every file of its module: linking it
// takes seconds.
func fresh(program, source string) bool {
	made, err := os.Stat(program)
	if err != nil {
		return false
	}
	err = filepath.WalkDir(source, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.ModTime().After(made.ModTime()) {
			err = errors.New("older")
		}
		return err
	})
	return err == nil
}

var programs = map[string]func() (string, error){"authserver": build("authserver"), "verify": build("verify")}

// start runs a program that prints one line of JSON when it serves, and ends when its
// standard input does, which happens at the end of the test or of its process. first is
// written to its standard input.
func start(tb testing.TB, name string, first []byte, into any, args ...string) {
	tb.Helper()
	path, err := programs[name]()
	if err != nil {
		missing(tb, err)
	}
	c := exec.Command(path, args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	in, err := c.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = c.Wait()
	})
	tb.Cleanup(stop)
	_, err = in.Write(first)
	line, readErr := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = readErr
	}
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		stop()
		tb.Fatalf("foreign: %s: %v: %.2000s", name, err, errs.String())
	}
}
