// Package harness sets up what the test suites over HTTP have in common: a complete Samla
// with its sandbox in the test process, a client that validates every exchange with the
// contract, and a log that is checked for secrets.
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

	"samla/internal/flowtest"
	"samla/internal/sandbox/pki"
)

// Suite is shared by the tests of one package.
type Suite struct {
	// Parallel is how many tests run in parallel. It may exceed the number of CPUs,
	// because tests mostly wait for banks and persons.
	Parallel int
	// Now is the time at which the certificates of the sandbox are issued.
	Now func() time.Time
	// CheckRequests makes clients validate requests too, not only responses. It is for
	// suites that send no invalid requests.
	CheckRequests bool

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

// copyCertificates copies the sandbox's certificates into the directory of an Env. They
// are generated once, because generating an RSA key takes longer than most tests.
func (s *Suite) copyCertificates(t *testing.T, dir string) {
	t.Helper()
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "samla-harness-"); s.err == nil {
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

// Stores are the databases that suites run on. Each function returns the Database of
// devserver.Config.
var Stores = map[string]func(*testing.T) string{
	"sqlite":   func(*testing.T) string { return "" },
	"postgres": func(t *testing.T) string { return flowtest.Postgres(t) },
}
