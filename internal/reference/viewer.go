package reference

import (
	"net/http"

	"github.com/swaggest/swgui/v5/static"

	"samla/internal/pages/look"
)

// The viewer is Swagger UI, of a module that embeds it, compressed. Its own page has scripts
// inline, so the page around it is ours.
var viewerFiles = []string{"swagger-ui-bundle.js", "swagger-ui.css"}

// addViewer adds what a page needs of the viewer.
func addViewer(b *look.Bundle) error {
	for _, name := range viewerFiles {
		packed, err := static.FS.ReadFile(name + ".gz")
		if err != nil {
			return err
		}
		b.AddPacked(name, packed)
	}
	return nil
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
			Scripts: []string{h.bundle.Address("swagger-ui-bundle.js"), h.bundle.Address("viewer.js")},
			Data:    map[string]any{"Version": v.Name, "Try": h.Try, "Operations": list, "Sheet": h.bundle.Address("swagger-ui.css")}})
		return
	}
	h.missing(w, r)
}
