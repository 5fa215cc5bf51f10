// Package steps tests the script steps.sh, which runs the steps of make test.
package steps

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"samla/tools/built"
)

// The targets: checks that end in each way, and tests that print events.
const makefile = `
good:
	@echo "nobody reads this"
bad:
	@echo "a.go:1: this is wrong"; exit 3
fooling:
	@echo "--- FAIL: other (0.00s)"
tests:
	@cat events; exit $(STATUS)
silent:
	@echo "this does not build" >&2; exit 2
warning:
	@echo "this is only said" >&2
busy:
	@u=0m0; while test "$$u" = "$${u#0m[1-9]}"; do i=0; while test $$i -lt 20000; do i=$$((i+1)); done; times >busy.times; read u s <busy.times; done
waits:
	@while ! test -e here; do sleep 0.1; done; cat events
comes:
	@touch here; cat events
prepare:
	@echo "nothing is there" >&2; touch ready; exit 1
prepared:
	@test -e ready && cat events
hang:
	@sleep 60
`

const (
	pass = `{"Action":"run","Package":"p","Test":"TestPass"}
{"Action":"pass","Package":"p","Test":"TestPass"}
`
	skip = `{"Action":"run","Package":"p","Test":"TestSkip"}
{"Action":"output","Package":"p","Test":"TestSkip","Output":"    a_test.go:1: there is no database\n"}
{"Action":"skip","Package":"p","Test":"TestSkip"}
`
	fail = `{"Action":"run","Package":"p","Test":"TestFail"}
{"Action":"output","Package":"p","Test":"TestFail","Output":"    a_test.go:2: it went wrong\n"}
{"Action":"fail","Package":"p","Test":"TestFail"}
`
	passed, failed = `{"Action":"pass","Package":"p"}` + "\n", `{"Action":"fail","Package":"p"}` + "\n"
	unbuilt        = `{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined: x\n"}
{"ImportPath":"q","Action":"build-fail"}
{"Action":"output","Package":"q","Output":"FAIL\tq [build failed]\n"}
{"Action":"fail","Package":"q","FailedBuild":"q"}
`
)

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		name, limit, checks, tests, events, status, meanwhile, around string

		last  string
		shown []string // and what is not shown, after a minus
	}{
		{name: "checks", checks: "good good", last: "2 passed, 0 failed", shown: []string{"-nobody reads", "-FAILED"}},
		{name: "failed check", checks: "bad good", last: "1 passed, 1 failed", shown: []string{"this is wrong", "FAILED bad", "-***"}},
		{name: "check that prints like a test", checks: "fooling", last: "1 passed, 0 failed"},
		{name: "tests", tests: "tests", events: pass + skip + passed, last: "1 passed, 0 failed", shown: []string{"p TestSkip", "there is no database", "1 skipped"}},
		{name: "checks and tests", checks: "good", tests: "tests", events: pass + passed, last: "2 passed, 0 failed"},
		{name: "failed test", tests: "tests", events: pass + fail + failed, status: "1", last: "1 passed, 1 failed", shown: []string{"it went wrong", "FAILED tests"}},
		{name: "failed build", tests: "tests", events: pass + passed + unbuilt, status: "1", last: "1 passed, 1 failed", shown: []string{"q.go:1: undefined"}},
		{name: "failed package without a failed test", tests: "tests", events: pass + failed, status: "1", last: "1 passed, 1 failed"},
		{name: "test without an end", tests: "tests", events: `{"Action":"run","Package":"p","Test":"TestLost"}` + "\n" + failed, status: "1", last: "0 passed, 1 failed", shown: []string{"TestLost"}},
		{name: "target that fails without events", checks: "good", tests: "silent", last: "1 passed, 1 failed", shown: []string{"this does not build", "FAILED silent", "-***"}},
		{name: "failure does not stop the rest", checks: "bad", tests: "silent tests", events: pass + passed, last: "1 passed, 1 failed", shown: []string{"FAILED bad silent"}},
		{name: "standard error of a good target", tests: "warning tests", events: pass + passed, last: "1 passed, 0 failed", shown: []string{"-only said"}},
		{name: "tests beside each other", limit: "20s", tests: "waits | comes", events: pass + passed, last: "2 passed, 0 failed"},
		{name: "failures beside each other", tests: "silent | tests", events: pass + fail + failed, status: "1", last: "1 passed, 1 failed", shown: []string{"FAILED", "silent", "tests", "this does not build"}},
		{name: "over the limit beside each other", limit: "8s", tests: "hang | tests hang", events: pass + passed, last: "1 passed, 1 failed", shown: []string{"NOT FINISHED after 8s: hang hang"}},
		{name: "what runs meanwhile", meanwhile: "prepare", checks: "good", tests: "prepared", events: pass + passed, last: "2 passed, 0 failed", shown: []string{"nothing is there", "-FAILED"}},
		{name: "what is around tests", around: "env STATUS=1", checks: "good", tests: "tests", events: pass + fail + failed, status: "0", last: "2 passed, 1 failed"},
		{name: "times of the steps", checks: "busy", tests: "tests", events: pass + passed, last: "2 passed, 0 failed", shown: []string{"busy   ", "tests   ", " s, processors ", "-busy                 0 s, processors     0 s"}},
		{name: "check over the limit", limit: "8s", checks: "good hang", tests: "tests", events: pass, last: "1 passed, 1 failed", shown: []string{"NOT FINISHED after 8s: hang"}},
		{name: "test over the limit", limit: "8s", checks: "good", tests: "hang", last: "1 passed, 1 failed", shown: []string{"NOT FINISHED after 8s: hang"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.limit == "" {
				c.limit = "1m"
			}
			if c.status == "" {
				c.status = "0"
			}
			out, code := steps(t, c.events, c.limit, c.checks, c.tests, "STATUS="+c.status, "MEANWHILE="+c.meanwhile, "AROUND="+c.around)
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if got := lines[len(lines)-1]; got != c.last {
				t.Errorf("the last line is %q, want %q", got, c.last)
			}
			if good := strings.HasSuffix(c.last, ", 0 failed"); good != (code == 0) {
				t.Errorf("exit status %d", code)
			}
			for _, s := range c.shown {
				if rest, without := strings.CutPrefix(s, "-"); strings.Contains(out, rest) == without {
					t.Errorf("shown: %v: %s", !without, rest)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// A machine without gotestsum fails the run; the line says so all the same.
func TestSteps_WithoutGotestsum(t *testing.T) {
	out, code := steps(t, "", "1m", "good", "", "GOTESTSUM=/nowhere/gotestsum")
	if !strings.HasSuffix(out, "\n0 passed, 1 failed\n") || code == 0 {
		t.Errorf("exit status %d\n%s", code, out)
	}
}

func steps(t *testing.T, events, limit, checks, tests string, env ...string) (output string, code int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"Makefile": makefile, "events": events} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("../steps.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", script, limit, checks, tests)
	cmd.Dir = dir
	cmd.Env = append(append(withoutMake(os.Environ()), "GOTESTSUM="+built.Tool(t, "gotestsum")), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var ofMake = regexp.MustCompile(`^(MAKE|MFLAGS|GOFLAGS|MEANWHILE|AROUND)`)

// withoutMake removes what a make that runs these tests left in the environment.
func withoutMake(env []string) []string {
	var kept []string
	for _, v := range env {
		if !ofMake.MatchString(v) {
			kept = append(kept, v)
		}
	}
	return kept
}
