package console

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"samla/internal/operator"
	"samla/internal/pages/look"
	"samla/internal/words"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var files embed.FS

// assetPath is what the paths of the console's own scripts begin with.
const assetPath = "/console/"

var assets = func() *look.Bundle {
	b, err := look.NewBundle(assetPath, files, "assets/passkey.js")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return b
}()

// NewKit returns a kit for views: the layout of the console and the templates of one
// package (patterns; none = "*.html"). A name of a template must not begin with "console/".
// The templates are given times as texts: the kit has no zone.
func NewKit(files fs.FS, patterns ...string) (*look.Kit, error) {
	return newKit(nil, files, patterns...)
}

func newKit(zone *time.Location, files fs.FS, patterns ...string) (*look.Kit, error) {
	if files == nil {
		files, patterns = templates, []string{"templates/*.html"}
	} else {
		if len(patterns) == 0 {
			patterns = []string{"*.html"}
		}
		files, patterns = both{files}, append([]string{own + "/*.html"}, patterns...)
	}
	return look.New(look.Options{Files: files, Patterns: patterns, Layout: "console", Offer: words.Offer{words.English}, Zone: zone})
}

// own is the folder of the console's own templates in both.
const own = "templates-of-the-console"

// both are the templates of a package and, in the folder own, those of the console.
type both struct{ of fs.FS }

func (b both) Open(name string) (fs.File, error) {
	if rest, ours := strings.CutPrefix(name, own); ours {
		return templates.Open("templates" + rest)
	}
	return b.of.Open(name)
}

// foot is what the foot of the navigation shows.
type foot struct {
	operator.Operator
	Session bool   // there is a session to end
	Zone    string // of the times on the page
}

// zoneText names the zone of times.
func zoneText(zone *time.Location) string {
	return words.In(words.English).Say("c.zone", words.Values{Zone: words.ZoneName(zone)})
}

// Render answers with a page of a view in the layout of the console. Content, View, Title,
// Data, Status and Scripts of the page are the view's. A page that cannot be rendered is
// answered with 500.
func Render(w http.ResponseWriter, r *http.Request, kit *look.Kit, p look.Page) {
	f := frameOf(r.Context())
	p.Language, p.Home = string(words.English), "/"
	if f.of != nil {
		p.Env = f.of.Env
		p.Nav = f.of.nav(r, f.by.Role)
		p.Action, p.ActionOf = "console/foot", foot{f.by, f.session.ID != "", zoneText(f.of.Zone)}
		p.Title += " – Samla console"
	}
	if err := kit.Render(w, r, p); err != nil {
		Fail(w, r, err)
	}
}

// nav returns the navigation: the views that the operator may see.
func (h *handler) nav(r *http.Request, role operator.Role) (items []look.NavItem) {
	current := ""
	for _, v := range h.navs {
		if at := address(v); at == r.URL.Path || strings.HasPrefix(r.URL.Path, at+"/") {
			current = at
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.ReadTime/countPart)
	defer cancel()
	for _, v := range h.navs {
		if !role.Covers(v.Needs) {
			continue
		}
		item := look.NavItem{Label: v.Title, Address: address(v), Current: address(v) == current}
		if v.Count != nil {
			item.Count = v.Count(ctx)
		}
		items = append(items, item)
	}
	return items
}

func address(v View) string {
	_, path, with := strings.Cut(v.Path, " ")
	if !with {
		return v.Path
	}
	return path
}

// message is a page with a heading and a sentence.
type message struct{ Title, Text string }

// Message answers with a heading and a sentence.
func Message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	kit := frameOf(r.Context()).kit()
	Render(w, r, kit, look.Page{Status: status, Content: "console/message", View: "MESSAGE", Title: title, Data: message{title, text}})
}

// Fail answers a request that failed for a reason of the server's, and logs it. The page
// says it only if the reads took too long. The log has the pattern of the path: a path can
// hold the secret of a link.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	f := frameOf(r.Context())
	ended := context.Cause(r.Context())
	if ended != nil && !errors.Is(ended, errTooLong) {
		return // nobody waits for the answer
	}
	if ended != nil && f.of != nil {
		if f.of.Log != nil {
			f.of.Log.WarnContext(r.Context(), "a page of the console was not read in time", slog.String("path", r.Pattern), slog.Duration("limit", f.of.ReadTime))
		}
		late(w, r)
		return
	}
	if f.of != nil && f.of.Log != nil {
		f.of.Log.ErrorContext(r.Context(), "a page of the console failed", slog.String("path", r.Pattern), slog.Any("error", err))
	}
	body, wrong := f.kit().HTML(look.Page{Content: "console/message", View: "FAILED", Title: "This did not work", Home: "/",
		Data: message{"This did not work", "The server has written the reason to its log. Try again."}}, words.English, look.WantsFragment(r))
	if wrong != nil {
		http.Error(w, "This did not work.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(body)
}

var plain = look.Must(NewKit(nil))

func (f frame) kit() *look.Kit {
	if f.of != nil {
		return f.of.kit
	}
	return plain
}
