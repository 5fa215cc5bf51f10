package docs

import (
	"regexp"
	"strings"
	"testing"
)

// oddRE are words that readers of plain English do not expect.
var oddRE = regexp.MustCompile(`(?i)\b(whoever|whomever|thereof|therein|hence(forth)?|forthwith|whilst|lest|anew|afresh|owed|hitherto|hereby|herein|whereby|wherein|notwithstanding|albeit|amongst|of none|for ever more)\b`)

// helpRE finds what the program says about its commands.
var helpRE = regexp.MustCompile(`help:"[^"]*"`)

// odd returns the odd words of what people read in a file: all of a document, the texts of
// help in a source.
func odd(name, text string) []string {
	if strings.HasSuffix(name, ".go") {
		text = strings.Join(helpRE.FindAllString(text, -1), "\n")
	}
	return oddRE.FindAllString(text, -1)
}

// What people read has no archaic words: documents, the descriptions of the API, the pages in
// English, and what the program says of its commands.
func TestTexts_ArePlain(t *testing.T) {
	read := 0
	sources(t, func(name, text string) {
		if strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, "cmd/samla/") || strings.Contains(name, "/testdata/") {
			return
		}
		read++
		for _, word := range odd(name, text) {
			t.Errorf("%s says %q", name, word)
		}
	}, ".md", "openapi.json", "en.json", ".go")
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

func TestOdd_FindsArchaicWords(t *testing.T) {
	for text, want := range map[string]int{"Whoever paused it.": 1, "It is of none.": 1, "For whom? Then. Whole, other, lesson": 0} {
		if got := odd("x.md", text); len(got) != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := odd("x.go", "// anew\n\tA bool `help:\"Begin anew.\"`"); len(got) != 1 {
		t.Errorf("%q", got)
	}
}
