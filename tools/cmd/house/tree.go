package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// File is what the rules read of a Go file.
type File struct {
	Path      string   // below the root
	Package   string   // its folder; "" is the root itself
	Test      bool     // the name ends with _test.go
	Commented bool     // it has a package comment
	Imports   []string // packages of this module, as folders; of a test file none
}

// Text is a file of another kind that people write comments in.
type Text struct {
	Path  string
	Lines []string
}

// Tree is what the rules check.
type Tree struct {
	Files []*File
	Texts []Text
}

// ReadTree reads the module in root and the modules inside it.
func ReadTree(root fs.FS) (*Tree, error) {
	gomod, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return nil, err
	}
	module := modulePath(string(gomod))
	if module == "" {
		return nil, fmt.Errorf("go.mod has no module line")
	}
	t := &Tree{}
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
		return t.add(root, p, module+"/")
	})
	return t, err
}

func (t *Tree) add(root fs.FS, p, prefix string) error {
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
	syntax, err := parser.ParseFile(token.NewFileSet(), p, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	f := &File{Path: p, Package: strings.TrimPrefix(path.Dir(p), "."), Test: strings.HasSuffix(p, "_test.go"), Commented: syntax.Doc != nil}
	for _, spec := range syntax.Imports {
		full, err := strconv.Unquote(spec.Path.Value)
		if folder, ours := strings.CutPrefix(full, prefix); err == nil && ours && !f.Test {
			f.Imports = append(f.Imports, folder)
		}
	}
	t.Files = append(t.Files, f)
	return nil
}

func modulePath(gomod string) string {
	for line := range strings.Lines(gomod) {
		if rest, ok := strings.CutPrefix(line, "module "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
