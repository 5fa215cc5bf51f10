package main

import (
	"path"
	"slices"
	"strings"
)

// heavyPackage is SQLite: to build it with what guides the fuzzing takes a minute, and no
// target fuzzes it.
const heavyPackage = "modernc.org/sqlite/lib"

// carrying returns the folders of the packages with targets whose tests depend on a package.
func (f *fuzzer) carrying(heavy string, targets []Target) (map[string]bool, error) {
	found := map[string]bool{}
	if len(targets) == 0 {
		return found, nil
	}
	args := []string{"list", "-e", "-test", "-f", "{{.ImportPath}} {{join .Deps \" \"}}"}
	for _, t := range targets {
		args = append(args, "./"+t.Dir)
	}
	out, err := f.ask(args...)
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if dir, isTest := strings.CutSuffix(fields[0], ".test"); isTest && slices.Contains(fields[1:], heavy) {
			found[strings.TrimPrefix(dir, f.module+"/")] = true
		}
	}
	return found, err
}

// alone returns the files that make a program of the targets of a package without its other
// tests: those of the package, and those with targets, which must not need the others.
func (f *fuzzer) alone(dir string, targets []Target) ([]string, error) {
	out, err := f.ask("list", "-f", "{{join .GoFiles \" \"}}", "./"+dir)
	if err != nil {
		return nil, err
	}
	files := strings.Fields(out)
	for _, t := range targets {
		if !slices.Contains(files, t.File) {
			files = append(files, t.File)
		}
	}
	for i, name := range files {
		files[i] = path.Join(dir, name)
	}
	return files, nil
}
