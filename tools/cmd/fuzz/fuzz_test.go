package main

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFind_ListsTargets(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	found, err := Find(fstest.MapFS{
		"go.mod":            file("module m\n"),
		"a/a_test.go":       file("package a\nfunc FuzzA(f *testing.F) {}\nfunc FuzzHelp(s string) {}\nfunc TestA(t *testing.T) {}\n"),
		"a/a.go":            file("package a\nfunc FuzzNo(f *testing.F) {}\n"),
		"a/b/b_test.go":     file("package b\nfunc FuzzB(f *testing.F) {}\nfunc FuzzC(f *testing.F) {}\n"),
		"tools/go.mod":      file("module tools\n"),
		"tools/t_test.go":   file("package t\nfunc FuzzT(f *testing.F) {}\n"),
		"a/testdata/x.test": file("no Go"),
	})
	want := []Target{{"a", "a_test.go", "FuzzA"}, {"a/b", "b_test.go", "FuzzB"}, {"a/b", "b_test.go", "FuzzC"}}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("found %v, %v; want %v", found, err, want)
	}
}

func events(lines ...string) []byte {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(`{"Action":"output","Package":"p","Test":"FuzzA","Output":"` + l + `\n"}` + "\n")
	}
	b.WriteString(`{"Action":"fail","Package":"p","Test":"FuzzA"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n")
	return []byte(b.String())
}

func TestWithoutDeadline_ForgivesOnlyTheEngine(t *testing.T) {
	own := []string{"=== RUN   FuzzA", "fuzz: elapsed: 3s, execs: 40304 (0/sec), new interesting: 4 (total: 8)", "--- FAIL: FuzzA (3.20s)", "    context deadline exceeded", "FAIL", "exit status 1"}
	out, ok := withoutDeadline(events(own...))
	if !ok || strings.Contains(string(out), `"fail"`) || !strings.Contains(string(out), `"pass"`) {
		t.Errorf("the engine's deadline fails the target: %s", out)
	}
	for name, lines := range map[string][]string{
		"a failing input":       append(slices.Clone(own), "    Failing input written to testdata/fuzz/FuzzA/1"),
		"a message of the test": append(slices.Clone(own), "    a_test.go:7: got 1: context deadline exceeded"),
		"a panic":               append(slices.Clone(own), "panic: out of range"),
		"no deadline at all":    {"--- FAIL: FuzzA (0.01s)", "FAIL"},
	} {
		if _, ok := withoutDeadline(events(lines...)); ok {
			t.Errorf("%s is forgiven", name)
		}
	}
}
