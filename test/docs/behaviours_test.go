package docs

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each behaviour that docs/reference/families.md 15 asks of the simulated banks has its row
// in docs/sandbox-behaviours.md, with switches and tests that exist.
func TestBehaviours_HaveASwitchAndTests(t *testing.T) {
	reference := section(t, "docs/reference/families.md", "## 15. ", "\n## 16. ")
	wanted := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([NOR]\d+) \|`).FindAllStringSubmatch(reference, -1) {
		wanted[m[1]] = true
	}
	_, gateway, _ := strings.Cut(reference, "### 15.4")
	for _, m := range regexp.MustCompile(`(?:^|[ .\n])(E\d+) [A-Za-z]`).FindAllStringSubmatch(gateway, -1) {
		wanted[m[1]] = true
	}
	if len(wanted) != 21+19+14+10 {
		t.Fatalf("families.md 15 has %d behaviours", len(wanted))
	}
	code := sandboxCode(t)
	text, err := read(project, "docs/sandbox-behaviours.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted, test := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`^([a-z0-9/]+) (Test\w+)$`)
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "|") || len(cells) != 4 || strings.HasPrefix(strings.TrimSpace(cells[0]), "---") || cells[1] == "switch" {
			continue
		}
		row := strings.TrimSpace(cells[0])
		for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			if !strings.Contains(m[1], "/") && !regexp.MustCompile(`\b`+m[1]+`\b`).MatchString(code) {
				t.Errorf("%s: the sandbox has no switch %s", row, m[1])
			}
		}
		for _, cell := range cells[2:] {
			tests := quoted.FindAllStringSubmatch(cell, -1)
			if len(tests) == 0 {
				t.Errorf("%s: no test in %q", row, cell)
			}
			for _, m := range tests {
				named := test.FindStringSubmatch(m[1])
				if named == nil || !hasTest(t, named[1], named[2]) {
					t.Errorf("%s: there is no test %q", row, m[1])
				}
			}
		}
		if regexp.MustCompile(`^[NORE]\d+$`).MatchString(row) {
			if !wanted[row] {
				t.Errorf("%s is twice, or is no behaviour of families.md 15", row)
			}
			delete(wanted, row)
		}
	}
	for row := range wanted {
		t.Errorf("%s has no row", row)
	}
}

// section returns what a file has from one text to another.
func section(t *testing.T, name, from, to string) string {
	t.Helper()
	text, err := read(project, name)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(text, from)
	part, _, ends := strings.Cut(after, to)
	if !found || !ends {
		t.Fatalf("%s has no part from %q to %q", name, from, to)
	}
	return part
}

// sandboxCode returns the source of the simulated banks, without tests.
func sandboxCode(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	sources(t, func(name, text string) {
		if strings.HasPrefix(name, "internal/sandbox/") && !strings.HasSuffix(name, "_test.go") {
			b.WriteString(text)
		}
	}, ".go")
	return b.String()
}

var testsOf = map[string][]string{} // names by folder

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	if testsOf[folder] == nil {
		testsOf[folder] = []string{""}
		files, err := fs.Glob(project, folder+"/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := read(project, file)
			if err != nil {
				t.Fatal(fmt.Errorf("%s: %w", file, err))
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllStringSubmatch(text, -1) {
				testsOf[folder] = append(testsOf[folder], m[1])
			}
		}
	}
	return slices.Contains(testsOf[folder], name)
}
