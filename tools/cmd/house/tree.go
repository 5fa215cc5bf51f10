package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one Go file, parsed.
type File struct {
	Path    string // below the module's root
	Package string // directory below the root; "" is the root itself
	Test    bool   // name ends in _test.go
	Syntax  *ast.File
	Set     *token.FileSet
}

// Text is a file of another kind that people write comments in.
type Text struct {
	Path  string
	Lines []string
}

// Tree is what the rules check.
type Tree struct {
	Module string
	Files  []*File
	Texts  []Text
}

// ReadTree reads the module in root and the modules inside it. The floors apply to
// the first only.
func ReadTree(root fs.FS) (*Tree, error) {
	gomod, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return nil, err
	}
	t := &Tree{Module: modulePath(gomod)}
	if t.Module == "" {
		return nil, fmt.Errorf("go.mod has no module line")
	}
	err = fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			hidden := strings.HasPrefix(name, ".") && name != "."
			if hidden || slices.Contains([]string{"testdata", "vendor", "bin", "data", "node_modules"}, name) && p != "." {
				return fs.SkipDir
			}
			return nil
		}
		return t.add(root, p)
	})
	return t, err
}

func (t *Tree) add(root fs.FS, p string) error {
	isText := path.Base(p) == "Makefile" || slices.Contains([]string{".sql", ".sh"}, path.Ext(p))
	if path.Ext(p) != ".go" && !isText {
		return nil
	}
	source, err := fs.ReadFile(root, p)
	if err != nil {
		return err
	}
	if isText {
		t.Texts = append(t.Texts, Text{p, strings.Split(string(source), "\n")})
		return nil
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, p, source, parser.ParseComments)
	if err != nil {
		return err
	}
	dir := path.Dir(p)
	if dir == "." {
		dir = ""
	}
	t.Files = append(t.Files, &File{
		Path: p, Package: dir, Test: strings.HasSuffix(p, "_test.go"), Syntax: syntax, Set: set,
	})
	return nil
}

func modulePath(gomod []byte) string {
	for line := range strings.Lines(string(gomod)) {
		if rest, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
