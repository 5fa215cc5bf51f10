// Package reference serves the documentation at /docs: the guides of the folder docs with a
// search, and the OpenAPI documents in a viewer that needs no other host. Everything works
// without a script but the viewer, which lists the operations then.
package reference

import (
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"

	"samla/docs"
	"samla/internal/pages/look"
)

// Path is where everything begins.
const Path = "/docs"

// Deps is what the pages work with. All but Try are required.
type Deps struct {
	Versions []Version // of the API, the newest first
	// Try lets the viewer send requests to this server: for development.
	Try bool
	Log *slog.Logger
}

// Version is a version of the API.
type Version struct {
	Name     string // such as 2026-04-01
	Document []byte // OpenAPI, in JSON
}

//go:embed templates/*.html
var templates embed.FS

//go:embed assets
var assets embed.FS

const assetPath = Path + "/assets/"

// Handler answers everything below Path.
type Handler struct {
	Deps
	mux    *http.ServeMux
	kit    *look.Kit
	bundle *look.Bundle
	load   func() *library
}

// New returns the handler. The guides are read when the first page is asked for.
func New(d Deps) *Handler {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err)
	}
	bundle, err := look.NewBundle(assetPath, assets, "assets/search.js", "assets/viewer.js")
	if err == nil {
		err = addViewer(bundle)
	}
	if err != nil {
		panic(err) // the files are part of the program
	}
	h := &Handler{Deps: d, bundle: bundle, mux: http.NewServeMux(),
		kit: look.Must(look.New(look.Options{Files: files, Layout: "console", Sheet: "docs.css"}))}
	h.load = sync.OnceValue(func() *library { return newLibrary(docs.Files, d.Versions) })
	h.mux.Handle("GET "+assetPath, bundle)
	h.mux.HandleFunc("GET "+Path+"/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, Path, http.StatusMovedPermanently)
	})
	h.mux.HandleFunc("GET "+Path, h.index)
	h.mux.HandleFunc("GET "+Path+"/search", h.search)
	h.mux.HandleFunc("GET "+Path+"/api/{version}", h.viewer)
	h.mux.HandleFunc("GET "+Path+"/{name...}", h.guide)
	h.mux.HandleFunc("/", h.missing)
	return h
}

// ServeHTTP answers a request below Path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	look.Secure(w.Header())
	h.mux.ServeHTTP(w, r)
}

// show answers with a page in the frame of the reference.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, p look.Page) {
	p.Language, p.Brand, p.Home = "en", "Samla docs", Path
	p.Title = strings.TrimPrefix(p.Title+" · Samla docs", " · ")
	p.Scripts = append([]string{h.bundle.Address("search.js")}, p.Scripts...)
	p.Nav, p.Public = h.nav(r.URL.Path), true
	if err := h.kit.Render(w, r, p); err != nil {
		h.Log.Error("a page of the reference", "error", err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
	}
}

// nav is the list of everything, as it stands beside each page.
func (h *Handler) nav(current string) []look.NavItem {
	var items []look.NavItem
	for _, g := range h.groups() {
		for i, e := range g.Entries {
			item := look.NavItem{Label: e.Label, Address: e.Address, Current: e.Address == current}
			if i == 0 {
				item.Group = g.Name
			}
			items = append(items, item)
		}
	}
	return items
}

func (h *Handler) index(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, look.Page{Content: "docs/index", View: "index", Data: map[string]any{"Groups": h.groups(), "Search": Path + "/search"}})
}

func (h *Handler) missing(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, look.Page{Status: http.StatusNotFound, Content: "docs/missing", View: "missing", Title: "Not found", Data: Path + "/search"})
}

// guide answers with a document, or with a file that documents link to.
func (h *Handler) guide(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if d := h.load().byPath[Path+"/"+name]; d != nil {
		h.show(w, r, look.Page{Content: "docs/guide", View: "guide", Title: d.Title, Data: map[string]any{
			"Document": d, "Search": Path + "/search", "Body": template.HTML(d.body)}}) //nolint:gosec // made of our own documents, without HTML of theirs
		return
	}
	kind, ok := map[string]string{".json": "application/json", ".svg": "image/svg+xml"}[path.Ext(name)]
	text, err := fs.ReadFile(docs.Files, name)
	if !ok || err != nil {
		h.missing(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	if !look.Unchanged(w, r, text) {
		_, _ = w.Write(text)
	}
}

func (h *Handler) search(w http.ResponseWriter, r *http.Request) {
	query := strings.TrimSpace(r.URL.Query().Get("q"))
	found := h.load().find(query)
	h.show(w, r, look.Page{Content: "docs/search", View: "search", Title: "Search", Data: map[string]any{
		"Query": query, "Found": found, "Search": Path + "/search"}})
}
