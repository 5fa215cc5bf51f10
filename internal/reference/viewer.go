package reference

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"

	"github.com/swaggest/swgui/v5/static"

	"samla/internal/pages/look"
)

// The viewer is Swagger UI, of a module that embeds it. Its own page has scripts inline,
// so the page around it is ours.
const viewerPath = Path + "/viewer/"

// viewerFiles are what a page needs of it, and their types.
var viewerFiles = map[string]string{"swagger-ui-bundle.js": "text/javascript; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8"}

func viewerFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind, ok := viewerFiles[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	packed, err := static.FS.Open(name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer packed.Close()
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=86400")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		_, _ = io.Copy(w, packed)
		return
	}
	if plain, err := gzip.NewReader(packed); err == nil {
		_, _ = io.Copy(w, plain) //nolint:gosec // a file of the program
	}
}

// viewer shows a version of the API.
func (h *Handler) viewer(w http.ResponseWriter, r *http.Request) {
	for _, v := range h.Versions {
		if v.Name != r.PathValue("version") {
			continue
		}
		list, err := operations(v)
		if err != nil {
			h.Log.Error("the document of a version", "version", v.Name, "error", err)
			http.Error(w, "The document cannot be read.", http.StatusInternalServerError)
			return
		}
		h.show(w, r, look.Page{Content: "docs/viewer", View: "viewer", Title: "API " + v.Name, Theme: "light",
			Scripts: []string{viewerPath + "swagger-ui-bundle.js", h.bundle.Address("viewer.js")},
			Data:    map[string]any{"Version": v.Name, "Try": h.Try, "Operations": list, "Sheet": viewerPath + "swagger-ui.css"}})
		return
	}
	h.missing(w, r)
}
