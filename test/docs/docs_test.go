package docs

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// project is the repository. Hidden folders and what make builds are not part
// of its documentation.
var project = os.DirFS("../..")

// sources calls f with every file of the project whose name ends with one of the
// endings.
func sources(t *testing.T, f func(name, text string), endings ...string) {
	t.Helper()
	seen := 0
	err := fs.WalkDir(project, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(d.Name(), ".") && name != ".ci" || slices.Contains([]string{"bin", "data", "tmp"}, name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(name, e) }) || path.Dir(name) == "test/docs" {
			return nil
		}
		text, err := read(project, name)
		if err != nil {
			return err
		}
		seen++
		f(name, text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no file was read")
	}
}

// documents returns the sections of the reference documents.
func documents(t *testing.T) map[string]map[string]bool {
	t.Helper()
	names, err := fs.Glob(project, referenceFolder+"*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]bool{}
	for _, name := range names {
		text, err := read(project, name)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = sections(text)
		if name != referenceFolder+"README.md" && len(found[name]) == 0 {
			t.Errorf("%s has no numbered heading", name)
		}
	}
	return found
}

func TestCitations_Resolve(t *testing.T) {
	known := documents(t)
	total := 0
	sources(t, func(name, text string) {
		total += len(citations(text))
		for _, wrong := range checkCitations(name, text, known) {
			t.Error(wrong)
		}
		for _, wrong := range checkDocuments(project, name, text) {
			t.Error(wrong)
		}
	}, ".go", ".md", ".sql", ".json", ".yml", ".yaml", "Makefile")
	if total < 100 {
		t.Errorf("only %d citations were found", total)
	}
}

func TestLinks_Resolve(t *testing.T) {
	folders := []string{"cmd", "docs", "internal", "test", "tools", ".ci"}
	sources(t, func(name, text string) {
		for _, wrong := range checkLinks(project, name, text) {
			t.Error(wrong)
		}
		for _, wrong := range checkPaths(project, name, text, folders) {
			t.Error(wrong)
		}
	}, ".md")
}
