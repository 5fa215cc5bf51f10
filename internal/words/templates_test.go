package words_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"samla/internal/words"
)

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	tag       = regexp.MustCompile(`(?s)<[^<>]*>`)
	attribute = regexp.MustCompile(`(?:^|\s)(title|alt|aria-label|aria-description|aria-roledescription|placeholder|label)\s*=\s*"([^"]*)"`)
	entity    = regexp.MustCompile(`&[a-z0-9#]+;`)
	spoken    = regexp.MustCompile(`\b(?:t|tn)\s+"([^"]+)"`)
	literal   = regexp.MustCompile(`"((?:c|slip|start|inst|review|acct|sign|qr|app|bank|else|code|choice|contact|input|email|wait|device|ask|read|done|kind|cancel|net|busy|link|turn|act|st|cs|ce|he|perm|live|rfa|go)\.[a-zA-Z0-9_.]+)"`)
)

// sentences returns what a template says by itself to a person.
func sentences(template string) []string {
	plain := comment.ReplaceAllString(action.ReplaceAllString(template, ""), "")
	var found []string
	for _, t := range tag.FindAllString(plain, -1) {
		for _, a := range attribute.FindAllStringSubmatch(t, -1) {
			found = append(found, a[2])
		}
	}
	for line := range strings.SplitSeq(tag.ReplaceAllString(plain, "\n"), "\n") {
		found = append(found, entity.ReplaceAllString(line, ""))
	}
	var said []string
	for _, text := range found {
		if strings.ContainsFunc(text, unicode.IsLetter) {
			said = append(said, strings.TrimSpace(text))
		}
	}
	return said
}

// Templates of the pages for persons hold no text of their own, and name only texts that
// there are. The console and the reference are in English and have theirs.
func TestTemplates_HoldNoSentences(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../pages", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" || strings.Contains(path, "testdata") {
			return err
		}
		seen++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, said := range sentences(string(data)) {
			t.Errorf("%s says %q", path, said)
		}
		if strings.Contains(string(data), " data-on") { // html/template takes data-one for an event handler, and quotes its text
			t.Errorf("%s has an attribute data-on…", path)
		}
		for _, use := range spoken.FindAllStringSubmatch(string(data), -1) {
			known(t, path, use[1])
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("%d templates, %v", seen, err)
	}
}

func TestTemplates_SentencesAreSeen(t *testing.T) {
	for template, want := range map[string]int{
		`<p>{{t "c.you"}}</p><!-- why -->`: 0, `<p>Hello</p>`: 1, `<input placeholder="Search">`: 1, `<a title='{{t "c.you"}}' class="btn main">&nbsp;·</a>`: 0,
		"{{if .A}}\nyes\n{{end}}": 1, `<button aria-label="Close"></button> x`: 2,
	} {
		if got := sentences(template); len(got) != want {
			t.Errorf("%s: %q", template, got)
		}
	}
}

// Keys in the Go code of the pages exist.
func TestKeys_InCodeExist(t *testing.T) {
	uses := 0
	for _, root := range []string{"../pages"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, use := range literal.FindAllStringSubmatch(string(data), -1) {
				uses++
				known(t, path, use[1])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if uses == 0 {
		t.Log("no key is used in Go code yet")
	}
}

// known fails for a key that is neither a text nor the beginning of counted or composed
// ones ("kind.accounts", "st.").
func known(t *testing.T, path, key string) {
	t.Helper()
	texts := words.In(words.English)
	if texts.Has(words.Key(key)) {
		return
	}
	for _, k := range texts.Keys() {
		if strings.HasPrefix(string(k), strings.TrimSuffix(key, ".")+".") {
			return
		}
	}
	t.Errorf("%s: there is no text %q", path, key)
}
