package main

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
)

// A program of a package whose tests carry something heavy has the files with targets only.
func TestFuzz_LeavesOutTestsThatCarryMuch(t *testing.T) {
	dir := t.TempDir()
	for file, text := range map[string]string{
		"go.mod":           "module m\n\ngo 1.26\n",
		"h/h.go":           "package h\n",
		"p/p.go":           "package p\n",
		"p/fuzz_test.go":   "package p\n",
		"p/others_test.go": "package p_test\n\nimport _ \"m/q\"\n",
		"q/q.go":           "package q\n\nimport _ \"m/h\"\n",
		"r/r.go":           "package r\n",
		"r/fuzz_test.go":   "package r\n",
	} {
		write(t, filepath.Join(dir, file), text)
	}
	targets := []Target{{"p", "fuzz_test.go", "FuzzA"}, {"p", "fuzz_test.go", "FuzzB"}, {"r", "fuzz_test.go", "FuzzC"}}
	f := fuzzer{root: dir, module: "m"}
	heavy, err := f.carrying("m/h", targets)
	if want := map[string]bool{"p": true}; err != nil || !maps.Equal(heavy, want) {
		t.Errorf("%v carry it, %v; want %v", heavy, err, want)
	}
	files, err := f.alone("p", targets[:2])
	if want := []string{"p/p.go", "p/fuzz_test.go"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("the program is made of %v, %v; want %v", files, err, want)
	}
}
