package audit_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"samla/internal/audit"
)

// documented lists the kinds in the table of docs/audit.md. A name such as `_REVOKED` goes on
// with the first word of the one before it.
func documented(t *testing.T) (kinds []audit.Kind) {
	t.Helper()
	text, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## What is in it")
	table, _, _ = strings.Cut(table, "\n## ")
	name := regexp.MustCompile("`([A-Z_]+)`")
	first := ""
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, m := range name.FindAllStringSubmatch(cells[1], -1) {
			kind := m[1]
			if strings.HasPrefix(kind, "_") {
				kind = first + kind
			} else {
				first, _, _ = strings.Cut(kind, "_")
			}
			kinds = append(kinds, audit.Kind(kind))
		}
	}
	return kinds
}

func TestKinds_AreThoseThatAreExplained(t *testing.T) {
	explained, all := documented(t), audit.Kinds()
	for _, k := range all {
		if !slices.Contains(explained, k) {
			t.Errorf("docs/audit.md does not explain %s", k)
		}
	}
	for _, k := range explained {
		if !slices.Contains(all, k) {
			t.Errorf("Kinds lacks %s", k)
		}
	}
	if len(explained) != len(all) {
		t.Errorf("%d kinds, %d are explained", len(all), len(explained))
	}
}
