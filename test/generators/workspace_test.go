package generators

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The workspace is bin/generators: the sources of go and ts, what the tools generate, and
// the packages that tools/deps.sh installs. It is kept between runs, so that a run which
// generates the same code compiles nothing.
const workspace = "../../bin/generators"

// A tool that runs longer than this has failed.
const toolTimeout = 5 * time.Minute

// newWorkspace writes the document and the sources into the workspace and returns its path.
func newWorkspace(t *testing.T, document []byte) string {
	t.Helper()
	dir, err := filepath.Abs(workspace)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "openapi.json"), document, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"go", "ts"} {
		err := filepath.WalkDir(language, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, path)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			return os.WriteFile(to, text, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// command runs a program in a folder and returns what it prints on its standard output.
type command struct {
	dir  string
	path []string // folders of programs, before those of PATH
	env  []string // added to the environment
}

func (c command) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, all, err := c.try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, all)
	}
	return out
}

func (c command) try(t *testing.T, name string, args ...string) (stdout, all string, _ error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	for _, folder := range c.path {
		if found, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			name = found
			break
		}
	}
	path := "PATH=" + strings.Join(append(slices.Clone(c.path), os.Getenv("PATH")), string(os.PathListSeparator))
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = c.dir, append(append(os.Environ(), path), c.env...)
	var out, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &both
	err := cmd.Run()
	return out.String(), out.String() + both.String(), err
}

// lacking finds the lines with which npm and go say that a registry does not have a
// package, as opposed to that it cannot be reached.
var lacking = regexp.MustCompile(`(?m)^.*(\bE404\b|\bETARGET\b|404 Not Found|410 Gone|unknown revision).*$`)

// skipIfLacking skips the test if the output of npm or go says that a registry lacks a
// package.
func skipIfLacking(t *testing.T, output string) {
	t.Helper()
	if line := lacking.FindString(output); line != "" {
		t.Skip("a package is not in the registry: " + line)
	}
}

// node returns a command that runs the installed tools of ts. The test is skipped if
// they are not installed, or fails if SAMLA_TEST_REQUIRE_GENERATORS is set.
func node(t *testing.T, dir string) command {
	t.Helper()
	dir = filepath.Join(dir, "ts")
	modules := filepath.Join(dir, "node_modules")
	want, err := os.ReadFile("ts/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(modules, "installed.json")); err != nil || !bytes.Equal(got, want) {
		log, _ := os.ReadFile(filepath.Join(dir, "npm.log"))
		skipIfLacking(t, string(log))
		if os.Getenv("SAMLA_TEST_REQUIRE_GENERATORS") == "" {
			t.Skip("the packages of test/generators/ts are not installed: make deps")
		}
		t.Fatalf("tools/deps.sh did not install the packages of test/generators/ts\n%s", log)
	}
	path, err := filepath.Glob(filepath.Join(modules, "node-*", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	return command{dir, append(path, filepath.Join(modules, ".bin")), []string{"CI=true", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"}}
}
