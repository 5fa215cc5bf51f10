package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The targets of a package have one program, and each has its own outcome: one that holds,
// one that does not, one that does not compile.
func TestFuzz_TellsTheOutcomeOfEachTarget(t *testing.T) {
	const holds = "package p\n\nimport \"testing\"\n\nfunc FuzzHolds(f *testing.F) { f.Fuzz(func(*testing.T, string) {}) }\n"
	const fails = "func FuzzFails(f *testing.F) { f.Add(\"long\"); f.Fuzz(func(t *testing.T, s string) { if len(s) > 1 { t.Error(\"long\") } }) }\n"
	for name, c := range map[string]struct {
		files map[string]string
		good  bool
		want  map[string]string // what is said of a package and its target
	}{
		"all hold":         {map[string]string{"p/p_test.go": holds}, true, map[string]string{"m/p FuzzHolds": "pass", "m/p ": "pass"}},
		"one does not":     {map[string]string{"p/p_test.go": holds + fails}, false, map[string]string{"m/p FuzzHolds": "pass", "m/p FuzzFails": "fail", "m/p ": "fail"}},
		"one is no Go":     {map[string]string{"p/p_test.go": holds, "q/q_test.go": holds + "var x int = \"\"\n"}, false, map[string]string{"m/p FuzzHolds": "pass", "m/p ": "pass", "m/q ": "fail"}},
		"no target at all": {nil, true, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module m\n\ngo 1.26\n")
			for file, text := range c.files {
				write(t, filepath.Join(dir, file), text)
			}
			var out bytes.Buffer
			good, err := all(dir, time.Second, &out)
			if err != nil || good != c.good {
				t.Errorf("%v, %v", good, err)
			}
			got := map[string]string{}
			for line := range bytes.Lines(out.Bytes()) {
				var e struct{ Action, Package, Test string }
				if err := json.Unmarshal(line, &e); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				// A package has an end for each of its targets; a failure is not undone.
				if of := e.Package + " " + e.Test; (e.Action == "pass" || e.Action == "fail") && got[of] != "fail" {
					got[of] = e.Action
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("said of %v, want %v", got, c.want)
			}
			for of, want := range c.want {
				if got[of] != want {
					t.Errorf("%s: %s, want %s", of, got[of], want)
				}
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
