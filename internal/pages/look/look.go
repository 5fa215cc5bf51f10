// Package look is the design system of all pages: the style sheets, made of the tokens of
// docs/pages.md, the layouts, and the templates of the components. The pages for persons,
// the console and the reference are made with it.
//
// A page is a Kit, which a package makes once of its own templates, and a Page for each
// answer. A template gets texts with t and tn (package words) and never holds one:
//
//	{{t "perm.at" "institution" .Institution}}   placeholders in pairs of name and value
//	{{tn "perm.left" .Days}}                      by number, with {n}
//	{{icon "clock"}}  {{icon "clock" "i i-s"}}    see icons.go
//	{{tile .Name}}                                two letters in place of a logo
//	{{date .At}} {{clock .At}} {{number 12345}}   as the language writes them, in Kit's zone
//	{{address "look.js"}}                         the address of a file of Assets
//	{{template "look/note" (dict "Kind" "warn" "Icon" "warn" "Text" (t "net.off"))}}
//
// Components are the templates "look/…" in templates/; those with more than a text or two
// have a type in components.go.
package look

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/words"
)

// Options are what a Kit is made of.
type Options struct {
	Files    fs.FS          // templates of the pages
	Patterns []string       // which files; nil = "*.html"
	Layout   string         // "people" (the default), "console", or a template "look/…" of Files
	Sheet    string         // a file of Assets; "" = "people.css", or "console.css" with that layout
	Offer    words.Offer    // languages offered in the footer; nil = words.Edited
	Zone     *time.Location // of the times that pages show, which people's pages name; nil = Sweden's
	Operator string         // who runs the server; "" = "Samla"
	Help     string         // address of My permissions for the footer, or ""
	Funcs    map[string]any // more functions for templates
}

// Kit renders the pages of one package. Safe for concurrent use.
type Kit struct {
	options    Options
	byLanguage map[words.Language]*template.Template
}

//go:embed templates/*.html
var templates embed.FS

// New parses the templates, once for each language.
func New(o Options) (*Kit, error) {
	if o.Layout == "" {
		o.Layout = "people"
	}
	if o.Sheet == "" {
		o.Sheet = "people.css"
		if o.Layout == "console" {
			o.Sheet = "console.css"
		}
	}
	if o.Offer == nil {
		o.Offer = words.Edited
	}
	if o.Zone == nil {
		o.Zone = clock.Sweden()
	}
	if o.Operator == "" {
		o.Operator = "Samla"
	}
	if o.Patterns == nil {
		o.Patterns = []string{"*.html"}
	}
	k := &Kit{options: o, byLanguage: map[words.Language]*template.Template{}}
	base, err := template.New("").Funcs(k.funcs(words.English)).ParseFS(templates, "templates/*.html")
	if err == nil && o.Files != nil {
		base, err = base.ParseFS(o.Files, o.Patterns...)
	}
	if err != nil {
		return nil, err
	}
	if base.Lookup("look/"+o.Layout) == nil {
		return nil, fmt.Errorf("look: there is no layout %q", o.Layout)
	}
	for _, l := range words.Languages {
		set, err := base.Clone()
		if err != nil {
			return nil, err
		}
		k.byLanguage[l] = set.Funcs(k.funcs(l))
	}
	return k, nil
}

// Must returns a kit, or panics: templates are part of the program.
func Must(k *Kit, err error) *Kit {
	if err != nil {
		panic(err)
	}
	return k
}

// Page is one page, or the part of one that changes.
type Page struct {
	Status   int    // 0 = 200
	Language string // of words.Language; "" = the choice of the request
	Content  string // name of the template inside <main>, executed with Data
	View     string // what is shown, for scripts and tests: data-view of <main>
	Title    string // of the document
	Class    string // of <main>; "" = "page", or "stage" beside a slip, or "desk"
	Theme    string // "light" or "dark" of a host page; "" = what the browser prefers
	Scripts  []string
	Data     any

	Brand    string // name in the header; "" = no header (in a frame)
	Tile     bool   // Brand asks, and has a tile; otherwise it runs the server
	Action   string // name of a template at the end of the header, executed with ActionOf
	ActionOf any    // nil = Data
	Steps    *Steps
	Slip     *Slip
	SlipTop  bool // the slip comes before <main>: start and review
	NoFooter bool

	Refresh   int    // seconds until the browser looks again; 0 = never, or at once to RefreshTo
	RefreshTo string // where; "" = here
	// RefreshPlain: seconds until a browser without script looks again; 0 = never.
	RefreshPlain int
	Languages    string // address to which "lang=" is added in the footer; "" = no choice
	// Public says that the page has nothing of a person: browsers may keep it (Unchanged).
	Public bool

	Nav  []NavItem // of the console
	Env  string    // a word beside the console's name, such as "sandbox"
	Home string    // where the name leads; "" = "./"
}

// NavItem is an entry of the navigation of the console or the reference.
type NavItem struct {
	Label, Address string
	Current        bool
	Count          int    // things that need a look; 0 = no number
	Group          string // a heading before this entry, or ""
}

// layout is what a layout is executed with.
type layout struct {
	Page
	Lang     words.Language
	Sheet    string
	Operator string
	Help     string
	Zone     string
	Offer    []words.Language
	Main     template.HTML
	HeadEnd  template.HTML
	Scripts  []string
}

// Text returns what the pages of a language say.
func (k *Kit) Text(l words.Language) *words.Texts { return words.In(l) }

// Zone returns the zone in which times are shown.
func (k *Kit) Zone() *time.Location { return k.options.Zone }

// Language returns the language of a request: of the query "lang", the cookie, what the
// caller knows (the language of a link, say), or the browser, in this order.
func (k *Kit) Language(r *http.Request, known ...string) words.Language {
	return k.options.Offer.Pick(r.Header.Get("Accept-Language"), append([]string{r.URL.Query().Get("lang"), chosen(r)}, known...)...)
}

// HTML returns a page, or only the part that changes (the element with the id "view").
func (k *Kit) HTML(p Page, l words.Language, fragment bool) ([]byte, error) {
	set := k.byLanguage[l]
	if set == nil {
		l, set = words.English, k.byLanguage[words.English]
	}
	if p.Class == "" {
		switch {
		case k.options.Layout == "console":
			p.Class = "desk"
		case p.Slip != nil:
			p.Class = "stage"
		default:
			p.Class = "page"
		}
	}
	d := layout{Page: p, Lang: l, Sheet: Assets.Address(k.options.Sheet), Operator: k.options.Operator, Help: k.options.Help, Zone: words.ZoneName(k.options.Zone), Scripts: p.Scripts, Offer: k.options.Offer}
	part := func(name string, data any) (template.HTML, error) {
		if name == "" {
			return "", nil
		}
		var b bytes.Buffer
		err := set.ExecuteTemplate(&b, name, data)
		return template.HTML(b.String()), err //nolint:gosec // a template of ours has escaped it
	}
	var err error
	if d.Main, err = part(p.Content, p.Data); err != nil {
		return nil, err
	}
	if p.ActionOf == nil {
		p.ActionOf = p.Data
	}
	if d.HeadEnd, err = part(p.Action, p.ActionOf); err != nil {
		return nil, err
	}
	name := "look/" + k.options.Layout
	if fragment {
		name += "/view"
	}
	var b bytes.Buffer
	err = set.ExecuteTemplate(&b, name, d)
	return b.Bytes(), err
}

// Render answers with a page; with its changing part if the request asks for that
// (WantsFragment). Nothing is written if it returns an error.
func (k *Kit) Render(w http.ResponseWriter, r *http.Request, p Page) error {
	l, ok := words.Find(p.Language)
	if !ok {
		l = k.Language(r)
	}
	body, err := k.HTML(p, l, WantsFragment(r))
	if err != nil {
		return fmt.Errorf("look: page %s: %w", p.View, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(l))
	h.Add("Vary", "Accept, Accept-Language, Cookie")
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	if p.Public && p.Status == http.StatusOK && Unchanged(w, r, body) {
		return nil
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
	return nil
}

// withQuery adds a member to the query of an address.
func withQuery(address, name, value string) string {
	address, fragment, _ := strings.Cut(address, "#")
	joint := "?"
	if strings.Contains(address, "?") {
		joint = "&"
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	return address + joint + name + "=" + value + fragment
}
