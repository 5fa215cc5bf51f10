package main

import (
	"cmp"
	"fmt"
	"path"
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

// Check holds the tree against the plan; the answer is sorted by place.
func Check(c *Config, t *Tree) []Broken {
	var all []Broken
	for _, f := range t.Files {
		all = append(all, length(c, f)...)
		all = append(all, words(c, f)...)
		if inModule(f) {
			all = append(all, floors(c, t, f)...)
			all = append(all, clocks(c, f)...)
		}
	}
	for _, x := range t.Texts {
		all = append(all, textWords(c, x)...)
	}
	all = append(all, packages(c, t)...)
	slices.SortFunc(all, func(a, b Broken) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return all
}

// inModule leaves out tools/, a module of its own that the house never imports.
func inModule(f *File) bool {
	return f.Package != "tools" && !strings.HasPrefix(f.Package, "tools/")
}

func length(c *Config, f *File) []Broken {
	if f.Generated || c.Lines == 0 || f.Lines <= c.Lines {
		return nil
	}
	return []Broken{{f.Path, c.Lines + 1, fmt.Sprintf("%d lines, more than %d: split it by meaning", f.Lines, c.Lines)}}
}

// packages holds the rules about a directory: a name that says something, a
// comment that says what it owns, a place in the plan.
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
		if f.Syntax.Doc != nil {
			commented[f.Package] = true
		}
	}
	var broken []Broken
	for _, pkg := range order {
		f := first[pkg]
		line := f.Set.Position(f.Syntax.Package).Line
		say := func(format string, args ...any) {
			broken = append(broken, Broken{f.Path, line, fmt.Sprintf(format, args...)})
		}
		name := strings.TrimSuffix(f.Syntax.Name.Name, "_test")
		for _, n := range []string{name, path.Base(pkg)} {
			if slices.Contains(c.NoNames, n) {
				say("package name %s says nothing about what it owns", n)
				break
			}
		}
		if !commented[pkg] {
			say("package %s has no package comment", name)
		}
		_, planned := c.room(pkg)
		if inModule(f) && !planned && !covered(pkg, c.TestOnly) {
			say("package %s has no floor in .house", pkg)
		}
	}
	return broken
}

func words(c *Config, f *File) []Broken {
	pattern := wordPattern(c)
	if pattern == nil {
		return nil
	}
	var broken []Broken
	for _, group := range f.Syntax.Comments {
		for _, comment := range group.List {
			for _, at := range pattern.FindAllStringSubmatchIndex(comment.Text, -1) {
				line := f.Set.Position(comment.Pos()).Line + strings.Count(comment.Text[:at[0]], "\n")
				broken = append(broken, Broken{f.Path, line, unfinished(comment.Text[at[2]:at[3]])})
			}
		}
	}
	return broken
}

func textWords(c *Config, x Text) []Broken {
	pattern := wordPattern(c)
	if pattern == nil {
		return nil
	}
	var broken []Broken
	for i, line := range x.Lines {
		if found := pattern.FindStringSubmatch(line); found != nil {
			broken = append(broken, Broken{x.Path, i + 1, unfinished(found[1])})
		}
	}
	return broken
}

func unfinished(word string) string {
	return word + ": finish it, or decide and write down why not"
}

func wordPattern(c *Config) *regexp.Regexp {
	if len(c.NoWords) == 0 {
		return nil
	}
	quoted := make([]string, len(c.NoWords))
	for i, w := range c.NoWords {
		quoted[i] = regexp.QuoteMeta(w)
	}
	// A word that ends in a colon is only meant as a mark: XXX alone is also the
	// currency code for no currency.
	return regexp.MustCompile(`\b(` + strings.Join(quoted, "|") + `)(\W|$)`)
}
