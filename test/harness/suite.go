// Package harness sets up what the suites over HTTP have in common: a whole Samla
// with its sandbox in this process, a client that holds every exchange against
// the contract, and a journal that no secret may get into. It owns the set-up
// and hands it to the suites, which own the stories.
package harness

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"samla/internal/sandbox/pki"
	"samla/internal/testpg"
)

// Suite is what the tests of one package share.
type Suite struct {
	// Parallel is how many tests run at a time; they wait for banks and persons
	// more than for processors.
	Parallel int
	// Now is when the certificates of the sandbox are made.
	Now func() time.Time
	// Strict holds requests to the contract too, and not answers only: for tests
	// that send nothing bad.
	Strict bool

	once sync.Once
	dir  string
	err  error
}

// Main runs the tests of the package and returns the exit status.
func (s *Suite) Main(m *testing.M) int {
	code := 1
	if err := flag.Set("test.parallel", strconv.Itoa(s.Parallel)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return code
	}
	code = m.Run()
	if err := os.RemoveAll(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// certify lays the sandbox's certificates into the directory of a set. They are
// made once and copied, for to make an RSA key takes longer than most tests.
func (s *Suite) certify(t *testing.T, dir string) {
	t.Helper()
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "samla-rig-"); s.err == nil {
			_, s.err = pki.Open(s.dir, s.Now, nil)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	if err := os.CopyFS(filepath.Join(dir, "sandbox"), os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
}

// Stores names the databases that suites run over and how to get one: the
// Database of devserver.Config.
var Stores = map[string]func(*testing.T) string{
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return testpg.URL(t) },
}
