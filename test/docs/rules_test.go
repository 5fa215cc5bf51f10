package docs

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// example has the forms of headings that the reference documents use.
const example = "# Title, version 2026-04-01\n## 4. Consents\n### 4.2 Status\n#### Consent (routes 7, 8)\n```\n# 7. a comment in code\n```\n### 5.10 `DELETE /x` (chosen)\n"

func TestSections_AreNumbersOfHeadings(t *testing.T) {
	got := sections(example)
	for _, s := range []string{"4", "4.2", "5.10"} {
		if !got[s] {
			t.Errorf("no section %s", s)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

func TestCheckCitations_ReportsUnknownSections(t *testing.T) {
	known := map[string]map[string]bool{"docs/reference/api.md": sections(example), "docs/reference/banks.md": {"1": true, "9": true, "12.3": true}}
	for _, c := range []struct{ name, path, text, want string }{
		{"section", "a.go", "// x (docs/reference/api.md 4.2).", ""},
		{"chapter", "a.go", "// x (docs/reference/api.md 4)", ""},
		{"end of sentence", "a.go", "// See docs/reference/api.md 5.10.", ""},
		{"whole document", "a.go", "// x (docs/reference/api.md) has 4 rules", ""},
		{"list", "a.go", "// docs/reference/api.md 4, 4.2 and 5.10", ""},
		{"list with a wrong member", "a.go", "// docs/reference/api.md 4, 4.3 and 5.10", "a.go:1: docs/reference/api.md has no section 4.3"},
		{"last member wrong", "a.go", "// docs/reference/api.md 4 and 5.11", "no section 5.11"},
		{"range", "a.go", "// docs/reference/banks.md 1-9", ""},
		{"range with a wrong end", "a.go", "// docs/reference/banks.md 1-8", "no section 8"},
		{"the word section", "a.go", "// docs/reference/api.md section 6", "no section 6"},
		{"the word section in a list", "a.go", "// docs/reference/api.md 4.2, section 6", "no section 6"},
		{"no section", "a.go", "// docs/reference/api.md 4.9", "no section 4.9"},
		{"deeper than the headings", "a.go", "// docs/reference/api.md 4.2.1", "no section 4.2.1"},
		{"wrapped comment", "a.go", "// x (docs/reference/api.md\n// 4.9).", "a.go:1: docs/reference/api.md has no section 4.9"},
		{"wrapped list", "a.go", "\t// x docs/reference/api.md 4.2,\n\t// 4.9", "no section 4.9"},
		{"wrapped SQL", "a.sql", "-- docs/reference/api.md\n-- 4.9", "no section 4.9"},
		{"two documents", "a.go", "// docs/reference/api.md 4, docs/reference/banks.md 12.4", "banks.md has no section 12.4"},
		{"in code quotes", "a.md", "see `docs/reference/api.md` 4.9", "no section 4.9"},
		{"line", "a.go", "\n\n// docs/reference/api.md 4.9", "a.go:3:"},
		{"value after the section", "a.go", "// docs/reference/api.md 4.2; 0 = 60 minutes", ""},
		{"number of something else", "a.go", "// docs/reference/api.md has 27 values", ""},
		{"date", "a.go", "// docs/reference/api.md 2026-04-01", ""},
		{"bare name", "a.go", "// api.md 4.2", "a.go:1: write docs/reference/api.md"},
		{"other folder", "a.go", "// docs/api.md 4.2", "no document docs/api.md"},
		{"the way of a test to the document", "internal/a/a_test.go", `os.ReadFile("../../docs/reference/api.md")`, ""},
		{"a way that leads elsewhere", "internal/a/a_test.go", `os.ReadFile("../docs/reference/api.md")`, "no document ../docs/reference/api.md"},
		{"unknown document", "a.go", "// docs/reference/families.md 1", "no document docs/reference/families.md"},
		{"another name", "a.go", "// adding-banks.md, myapi.md", ""},
		{"bare name beside the document", "docs/reference/products.md", "see `api.md` 4.2", ""},
		{"bare name beside the document, no section", "docs/reference/products.md", "see `api.md` section 7", "no section 7"},
	} {
		got := checkCitations(c.path, c.text, known)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCheckDocuments_ReportsMissingFiles(t *testing.T) {
	root := fstest.MapFS{"docs/a.md": {}}
	got := checkDocuments(root, "a.go", "// see docs/a.md and README.md,\n// docs/b/c.md; https://x.example/docs/d.md")
	if !slices.Equal(got, []string{"a.go:2: no file docs/b/c.md"}) {
		t.Errorf("got %q", got)
	}
}

func TestCheckLinks_ReportsBrokenLinks(t *testing.T) {
	root := fstest.MapFS{
		"docs/a.md": {Data: []byte("# First things, first\n")},
		"docs/b/c":  {},
		"README.md": {},
	}
	for link, want := range map[string]string{
		"a.md": "", "../README.md": "", "b": "", "b/": "", "a.md#first-things-first": "", "#here-i-am": "",
		"https://example.com/nothing": "", "a.md \\\"title\\\"": "",
		"b.md": "no such file", "/README.md": "no such file", "a.md#second": "no such heading", "#there": "no such heading", "../../x": "no such file",
	} {
		text := "## Here I am\n[text](" + strings.ReplaceAll(link, `\`, "") + ") and `[code](nothing.md)`\n```\n[code](nothing.md)\n```\n"
		got := checkLinks(root, "docs/d.md", text)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0], want) || !strings.HasPrefix(got[0], "docs/d.md:2: ")) {
			t.Errorf("%s: got %q, want %q", link, got, want)
		}
	}
}

func TestCheckPaths_ReportsMissingFiles(t *testing.T) {
	root := fstest.MapFS{"internal/wire/wire.go": {}, "docs/a.md": {}}
	text := "`internal/wire`, `internal/wire/wire.go`, `docs/a.md`\n`internal/gone`, `wire/b.go`, `docs/…`, `internal/<family>`"
	got := checkPaths(root, "A.md", text, []string{"internal", "docs"})
	if !slices.Equal(got, []string{"A.md:2: no file internal/gone"}) {
		t.Errorf("got %q", got)
	}
}
