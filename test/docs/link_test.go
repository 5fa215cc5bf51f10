package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	fenceRE  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	codeRE   = regexp.MustCompile("`[^`\n]*`")
	linkRE   = regexp.MustCompile(`\]\(([^()\s]+)(?:[ \t]+"[^"]*")?\)`)
	inlineRE = regexp.MustCompile("`([^`\n]+)`")
	slugRE   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// withoutCode blanks the fenced blocks of a Markdown text and keeps its lines.
func withoutCode(markdown string) string {
	return fenceRE.ReplaceAllStringFunc(markdown, func(block string) string {
		return strings.Repeat("\n", strings.Count(block, "\n"))
	})
}

// anchors returns the fragments that a Markdown text offers: one for each
// heading, as forges make them.
func anchors(markdown string) map[string]bool {
	found := map[string]bool{}
	for _, heading := range headingRE.FindAllStringSubmatch(withoutCode(markdown), -1) {
		slug := slugRE.ReplaceAllString(strings.ToLower(heading[1]), "")
		found[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return found
}

// checkLinks returns a complaint for each link of the Markdown file at name that
// points inside the repository and at nothing. Links to other sites are not
// followed.
func checkLinks(root fs.FS, name, markdown string) []string {
	var wrong []string
	text := withoutCode(markdown)
	prose := codeRE.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("x", len(s)) })
	for _, at := range linkRE.FindAllStringSubmatchIndex(prose, -1) {
		link := text[at[2]:at[3]]
		if why := checkLink(root, name, markdown, link); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s:%d: link %s: %s", name, 1+strings.Count(text[:at[0]], "\n"), link, why))
		}
	}
	return wrong
}

func checkLink(root fs.FS, name, markdown, link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return "not a URL"
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	if u.Path != "" {
		target := path.Join(path.Dir(name), u.Path)
		content, err := read(root, target)
		if err != nil {
			return "no such file"
		}
		markdown = content
	}
	if u.Fragment != "" && !anchors(markdown)[u.Fragment] {
		return "no such heading"
	}
	return ""
}

// checkPaths returns a complaint for each file or folder that the Markdown file
// at name writes as code, such as `internal/bgspec`, and that does not exist.
// Only paths that begin with one of the folders count: other code is no path.
func checkPaths(root fs.FS, name, markdown string, folders []string) []string {
	var wrong []string
	text := withoutCode(markdown)
	for _, at := range inlineRE.FindAllStringSubmatchIndex(text, -1) {
		p := text[at[2]:at[3]]
		first, rest, _ := strings.Cut(p, "/")
		if rest == "" || !slices.Contains(folders, first) || strings.ContainsAny(p, " *{}<>…|$") {
			continue
		}
		if _, err := fs.Stat(root, path.Clean(p)); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d: no file %s", name, 1+strings.Count(text[:at[0]], "\n"), p))
		}
	}
	return wrong
}

// read returns a file's text; of a folder, the empty text.
func read(root fs.FS, name string) (string, error) {
	info, err := fs.Stat(root, name)
	if err != nil || info.IsDir() {
		return "", err
	}
	raw, err := fs.ReadFile(root, name)
	return string(raw), err
}
