// Package docs tests the documentation: that every section, file and heading
// which the source or a document refers to exists.
package docs

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// citation is one place that names a reference document, such as
// "docs/reference/api.md 4.3, 5.3".
type citation struct {
	line     int
	path     string   // as written
	sections []string // both ends of a range
}

// The words of a citation may be apart by a line break inside a comment.
const gap = `(?:[ \t]*\r?\n[ \t]*(?://|--|#|\*)?[ \t]*|[ \t]+)`

var (
	documentRE = regexp.MustCompile(`[\w./-]+\.md\b`)
	listRE     = regexp.MustCompile("^`?" + gap + `(?:sections?` + gap + `)?(` + number + `(?:(?:,` + gap + `|` + gap + `(?:and|or|to)` + gap + `|[-–])(?:sections?` + gap + `)?` + number + `)*)`)
	numberRE   = regexp.MustCompile(number)
)

// checkDocuments returns a complaint for each document below docs that the text of
// the file names and that does not exist.
func checkDocuments(root fs.FS, file, text string) []string {
	var wrong []string
	for _, at := range documentRE.FindAllStringIndex(text, -1) {
		name := text[at[0]:at[1]]
		if _, err := fs.Stat(root, name); strings.HasPrefix(name, "docs/") && err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d: no file %s", file, 1+strings.Count(text[:at[0]], "\n"), name))
		}
	}
	return wrong
}

// A number ends before a letter or a hyphen: "4.2a" and "2026-04-01" are none.
const number = `\d{1,2}(?:\.\d{1,2})*\b`

// names are the reference documents.
var names = map[string]bool{"api.md": true, "banks.md": true, "families.md": true, "households.md": true, "products.md": true}

// citations returns the citations of a text in their order.
func citations(text string) []citation {
	var found []citation
	for _, at := range documentRE.FindAllStringIndex(text, -1) {
		if !names[path.Base(text[at[0]:at[1]])] {
			continue
		}
		c := citation{line: 1 + strings.Count(text[:at[0]], "\n"), path: text[at[0]:at[1]]}
		if list := listRE.FindStringSubmatch(text[at[1]:]); list != nil {
			c.sections = numberRE.FindAllString(list[1], -1)
		}
		found = append(found, c)
	}
	return found
}

var headingRE = regexp.MustCompile(`(?m)^#{1,6} +(.*?)[ \t]*$`)

// sections returns the numbers of a document's headings: "4.2" for
// "### 4.2 Consent status machine" and "4" for "## 4. Consents".
func sections(markdown string) map[string]bool {
	numbers := map[string]bool{}
	for _, heading := range headingRE.FindAllStringSubmatch(withoutCode(markdown), -1) {
		first, _, _ := strings.Cut(heading[1], " ")
		first = strings.TrimSuffix(first, ".")
		if _, err := strconv.Atoi(strings.ReplaceAll(first, ".", "")); err == nil {
			numbers[first] = true
		}
	}
	return numbers
}

const referenceFolder = "docs/reference/"

// checkCitations returns a complaint for each citation in the file that
// does not resolve. documents holds the sections of the reference documents by
// path. Inside docs/reference a document may be named without its folder, and elsewhere by
// the way to it that begins with "../".
func checkCitations(file, text string, documents map[string]map[string]bool) []string {
	var wrong []string
	for _, c := range citations(text) {
		target := c.path
		if strings.HasPrefix(file, referenceFolder) && !strings.Contains(target, "/") {
			target = referenceFolder + target
		}
		if strings.HasPrefix(target, "../") { // a test that reads the document
			target = path.Join(path.Dir(file), target)
		}
		known, ok := documents[target]
		switch {
		case !ok && !strings.Contains(c.path, "/"):
			wrong = append(wrong, fmt.Sprintf("%s:%d: write %s%s", file, c.line, referenceFolder, c.path))
		case !ok:
			wrong = append(wrong, fmt.Sprintf("%s:%d: no document %s", file, c.line, c.path))
		}
		for _, s := range c.sections {
			if ok && !known[s] {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s has no section %s", file, c.line, target, s))
			}
		}
	}
	return wrong
}
