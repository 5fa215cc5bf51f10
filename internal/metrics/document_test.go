package metrics_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	documentedRow = regexp.MustCompile("(?m)^\\| `(samla_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*?) ?\\|")
	typeLine      = regexp.MustCompile(`(?m)^# TYPE (samla_[a-z_]+) ([a-z]+)$`)
	nameLiteral   = regexp.MustCompile(`"(samla_[a-z_]+)"`)
	labelName     = regexp.MustCompile(`([a-z_]+)="`)
)

// checkDocument compares the families of a page with docs/observe.md: names, types, labels.
// It returns the documented names.
func checkDocument(t *testing.T, page string) (documented []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, row := range documentedRow.FindAllStringSubmatch(string(text), -1) {
		want[row[1]] = row[2] + " " + row[3]
		documented = append(documented, row[1])
	}
	for _, family := range typeLine.FindAllStringSubmatch(page, -1) {
		if got := family[2] + " " + labelsOf(page, family[1]); got != want[family[1]] {
			t.Errorf("%s is %q, documented as %q", family[1], got, want[family[1]])
		}
	}
	return documented
}

// labelsOf returns the labels of the first series of a family.
func labelsOf(page, family string) string {
	line := regexp.MustCompile(`(?m)^` + family + `(?:_bucket|_sum|_count)?(\{[^ ]*)? .*$`).FindStringSubmatch(page)
	var names []string
	for _, l := range labelName.FindAllStringSubmatch(line[1], -1) {
		if l[1] != "le" {
			names = append(names, l[1])
		}
	}
	return strings.Join(names, ", ")
}

// Every name in the code is documented, and every documented one is in the code.
func TestDocument_ListsEveryMetric(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var inCode []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nameLiteral.FindAllStringSubmatch(string(text), -1) {
			inCode = append(inCode, n[1])
		}
	}
	documented := checkDocument(t, "")
	slices.Sort(inCode)
	slices.Sort(documented)
	if !slices.Equal(inCode, documented) {
		t.Errorf("in the code\n%v\ndocumented\n%v", inCode, documented)
	}
}
