package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
)

// Broken is one broken rule.
type Broken struct {
	File    string
	Line    int
	Message string
}

func (b Broken) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Message) }

// Check returns what is broken, sorted by place.
func Check(r *Rules, plan Floors, t *Tree) []Broken {
	all := slices.Concat(agree(r, plan), unused(r, t), comments(t))
	for _, x := range t.Texts {
		all = append(all, text(x)...)
	}
	slices.SortFunc(all, func(a, b Broken) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return all
}

// comments finds packages of test files without a comment. revive finds the others.
func comments(t *Tree) []Broken {
	bare := map[string]*File{} // the first file of each package that may lack one
	done := map[string]bool{}
	for _, f := range t.Files {
		if !f.Test || f.Commented {
			done[f.Package] = true
		}
		if bare[f.Package] == nil {
			bare[f.Package] = f
		}
	}
	var broken []Broken
	for pkg, f := range bare {
		if !done[pkg] {
			broken = append(broken, Broken{f.Path, 1, fmt.Sprintf("package %s has no package comment", pkg)})
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
