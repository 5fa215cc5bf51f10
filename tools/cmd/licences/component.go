package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// component is a part of the program that others have written.
type component struct {
	name, version, dir string
	files              []file
}

// file is a licence or notice text.
type file struct {
	name string
	ids  []string // SPDX identifiers of the licences that the text contains
	text string
}

// prefixes are how the names of licence and notice files begin, in lower case.
var prefixes = []string{"licen", "copying", "notice", "unlicense", "patents"}

// recognised is the share of a text, in percent, that must be known words of a
// licence. The rest are names and years.
const recognised = 75

// read finds the texts in the folder of the component. It returns an error if no
// text is a known licence.
func (c *component) read() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	known := false
	for _, e := range entries {
		lower := strings.ToLower(e.Name())
		if !e.Type().IsRegular() || strings.HasSuffix(lower, ".go") || !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(lower, p) }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(c.dir, e.Name()))
		if err != nil {
			return err
		}
		f := file{name: e.Name(), text: strings.TrimSpace(string(text))}
		covered := licensecheck.Scan(text)
		for _, m := range covered.Match {
			if !slices.Contains(f.ids, m.ID) {
				f.ids = append(f.ids, m.ID)
			}
		}
		known = known || len(f.ids) > 0 && covered.Percent >= recognised
		c.files = append(c.files, f)
	}
	if !known {
		return fmt.Errorf("%s %s has no licence text that is recognised", c.name, c.version)
	}
	return nil
}

// licences returns the identifiers of all texts.
func (c *component) licences() string {
	var ids []string
	for _, f := range c.files {
		for _, id := range f.ids {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return strings.Join(ids, ", ")
}

// write writes a list of the components, and then all texts. An error of w is the
// caller's to find.
func write(w io.Writer, all []component) {
	fmt.Fprintf(w, "Samla contains the following software of others.\n\n")
	for i := range all {
		fmt.Fprintf(w, "%s %s: %s\n", all[i].name, all[i].version, all[i].licences())
	}
	for i := range all {
		for _, f := range all[i].files {
			fmt.Fprintf(w, "\n%s\n%s %s, %s\n\n%s\n", strings.Repeat("-", 78), all[i].name, all[i].version, f.name, f.text)
		}
	}
}
