package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Broken is one broken rule.
type Broken struct {
	File    string
	Line    int
	Message string
}

func (b Broken) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Message) }

// Check returns what is broken in the tree, sorted by place.
func Check(c *Config, t *Tree) []Broken {
	var all []Broken
	for _, f := range t.Files {
		if inModule(f) {
			all = append(all, floors(c, t, f)...)
		}
	}
	for _, x := range t.Texts {
		all = append(all, text(x)...)
	}
	all = append(all, packages(c, t)...)
	slices.SortFunc(all, func(a, b Broken) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return all
}

// inModule reports whether the file is outside tools/, a module of its own.
func inModule(f *File) bool {
	return f.Package != "tools" && !strings.HasPrefix(f.Package, "tools/")
}

// packages checks that each package has a floor, and a comment also where all its
// files are tests: revive does not look at those.
func packages(c *Config, t *Tree) []Broken {
	first := map[string]*File{}
	commented := map[string]bool{}
	var order []string
	for _, f := range t.Files {
		had, ok := first[f.Package]
		if !ok {
			order = append(order, f.Package)
		}
		if !ok || had.Test && !f.Test {
			first[f.Package] = f
		}
		commented[f.Package] = commented[f.Package] || f.Syntax.Doc != nil
	}
	var broken []Broken
	for _, pkg := range order {
		f := first[pkg]
		line := f.Set.Position(f.Syntax.Package).Line
		if f.Test && !commented[pkg] {
			broken = append(broken, Broken{f.Path, line, fmt.Sprintf("package %s has no package comment", pkg)})
		}
		if _, planned := c.room(pkg); inModule(f) && !planned && !covered(pkg, c.TestOnly) {
			broken = append(broken, Broken{f.Path, line, fmt.Sprintf("package %s has no floor in .house", pkg)})
		}
	}
	return broken
}

// maxLines bounds a file that is not Go, as revive bounds one that is.
const maxLines = 500

// unfinished finds what godox finds in Go files.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X:)(\W|$)`)

func text(x Text) []Broken {
	var broken []Broken
	for i, line := range x.Lines {
		if found := unfinished.FindStringSubmatch(line); found != nil {
			broken = append(broken, Broken{x.Path, i + 1, found[1] + ": finish it, or write down why not"})
		}
	}
	if len(x.Lines) > maxLines+1 {
		broken = append(broken, Broken{x.Path, maxLines + 1, fmt.Sprintf("%d lines, more than %d: split it by meaning", len(x.Lines)-1, maxLines)})
	}
	return broken
}
