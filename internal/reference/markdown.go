package reference

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdown renders GitHub's tables, without attributes of style and without HTML of the
// documents.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
	goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(linker{}, 100))))

var (
	slugRE = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	citeRE = regexp.MustCompile(`\bdocs/([\w/-]+\.md)(?: (\d+(?:\.\d+)*))?`) // a document, and a section by its number
	heldAt = parser.NewContextKey()
)

// slugs makes the fragments of headings as forges do.
type slugs map[string]int

func (s slugs) next(heading string) string {
	id := strings.ReplaceAll(slugRE.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), ""), " ", "-")
	n := s[id]
	s[id]++
	if n > 0 {
		return id + "-" + strconv.Itoa(n)
	}
	return id
}

// Generate implements parser.IDs.
func (s slugs) Generate(value []byte, _ ast.NodeKind) []byte { return []byte(s.next(string(value))) }

// Put implements parser.IDs.
func (s slugs) Put(value []byte) { s[string(value)]++ }

// place is where a document is, for its links.
type place struct {
	files fs.FS
	name  string
	lost  []string // links that lead nowhere
}

// render makes a page of a document.
func render(files fs.FS, name string, source []byte) (*document, error) {
	at := &place{files: files, name: name}
	context := parser.NewContext(parser.WithIDs(slugs{}))
	context.Set(heldAt, at)
	root := markdown.Parser().Parse(text.NewReader(source), parser.WithContext(context))
	d := &document{Title: name, Address: address(name)}
	for n := root.FirstChild(); n != nil; {
		next := n.NextSibling()
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			words := string(textOf(h, source))
			switch {
			case h.Level == 1 && d.Title == name:
				d.Title = words
				root.RemoveChild(root, n)
			case h.Level == 2:
				d.Heads = append(d.Heads, head{words, fmt.Sprintf("%s", id)})
			}
		}
		n = next
	}
	var b bytes.Buffer
	if err := markdown.Renderer().Render(&b, source, root); err != nil {
		return nil, err
	}
	if len(at.lost) > 0 {
		return nil, fmt.Errorf("reference: %s has links that lead nowhere: %v", name, at.lost)
	}
	d.body = accessible.Replace(b.String())
	return d, nil
}

// accessible lets what is too wide scroll in a box of its own, which the keyboard reaches.
// What a document writes itself is escaped, and has none of these.
var accessible = strings.NewReplacer(
	"<table>", `<div class="scroll" role="group" tabindex="0" aria-label="Table"><table>`, "</table>", "</table></div>",
	"<th></th>", "<td></td>", "<th>", `<th scope="col">`, "<th align", `<th scope="col" align`, "<pre>", `<pre tabindex="0">`)

func textOf(n ast.Node, source []byte) []byte {
	var b bytes.Buffer
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.Bytes()
}

// linker turns links between documents into those between pages. What is in the source tree
// but not among the documents is named, and no link.
type linker struct{}

// Transform implements parser.ASTTransformer.
func (linker) Transform(root *ast.Document, r text.Reader, context parser.Context) {
	at, _ := context.Get(heldAt).(*place)
	var outside []*ast.Link
	var cited []*ast.Text
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering && citeRE.Match(t.Segment.Value(r.Source())) {
			if _, linked := t.Parent().(*ast.Link); !linked && t.Parent().Kind() != ast.KindCodeSpan {
				cited = append(cited, t)
			}
		}
		link, ok := n.(*ast.Link)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		to, served := at.resolve(string(link.Destination))
		if link.Destination = []byte(to); !served {
			outside = append(outside, link)
		}
		return ast.WalkContinue, nil
	})
	for _, link := range outside {
		parent := link.Parent()
		for c := link.FirstChild(); c != nil; c = link.FirstChild() {
			parent.InsertBefore(parent, link, c)
		}
		parent.RemoveChild(parent, link)
	}
	for _, t := range cited {
		at.cite(t, r.Source())
	}
}

// cite makes links of the documents that a text cites.
func (p *place) cite(t *ast.Text, source []byte) {
	parent, begin := t.Parent(), t.Segment.Start
	for _, found := range citeRE.FindAllSubmatchIndex(t.Segment.Value(source), -1) {
		value := t.Segment.Value(source)
		name, section := string(value[found[2]:found[3]]), ""
		if found[4] >= 0 {
			section = string(value[found[4]:found[5]])
		}
		to, ok := p.section(name, section)
		if !ok {
			continue
		}
		from, end := t.Segment.Start+found[0], t.Segment.Start+found[1]
		link := ast.NewLink()
		link.Destination = []byte(to)
		link.AppendChild(link, ast.NewTextSegment(text.NewSegment(from, end)))
		parent.InsertBefore(parent, t, ast.NewTextSegment(text.NewSegment(begin, from)))
		parent.InsertBefore(parent, t, link)
		begin = end
	}
	t.Segment = text.NewSegment(begin, t.Segment.Stop)
}

// section returns the address of a document, or of a section of it by its number.
func (p *place) section(name, number string) (string, bool) {
	source, err := fs.ReadFile(p.files, name)
	if err != nil || number == "" {
		return address(name), err == nil
	}
	ids, fenced := slugs{}, false
	for line := range strings.Lines(string(source)) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		found := headingRE.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if found == nil || fenced {
			continue
		}
		if id := ids.next(found[1]); strings.HasPrefix(found[1], number+" ") || strings.HasPrefix(found[1], number+". ") {
			return address(name) + "#" + id, true
		}
	}
	return address(name), true
}

// resolve returns where a link leads, and whether that is served.
func (p *place) resolve(link string) (string, bool) {
	u, err := url.Parse(link)
	if err != nil {
		p.lost = append(p.lost, link)
		return link, false
	}
	if u.Scheme != "" || u.Host != "" || u.Path == "" {
		return link, true
	}
	target := path.Join(path.Dir(p.name), u.Path)
	if info, err := fs.Stat(p.files, cleaned(target)); err == nil && info.IsDir() {
		target = path.Join(target, "README.md")
	}
	if _, err := fs.Stat(p.files, cleaned(target)); err != nil {
		return link, false
	}
	to := Path + "/" + target
	if strings.HasSuffix(target, ".md") {
		to = address(target)
	}
	if u.Fragment != "" {
		to += "#" + u.Fragment
	}
	return to, true
}

// cleaned is a name as fs.FS takes it; one outside of the documents is the empty one.
func cleaned(name string) string {
	if !fs.ValidPath(name) {
		return ""
	}
	return name
}
