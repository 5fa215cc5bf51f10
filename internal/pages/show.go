package pages

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"samla/internal/authorize"
	"samla/internal/consent"
)

// page is what a template shows.
type page struct {
	View    authorize.View
	Lang    string
	Words   words
	Company string // display name
	Client  string // name
	State   string
	Leads   string // where a link leads
	Code    string
	Reload  bool // look again after a second
	Text    string
}

var templates = template.Must(template.ParseFS(assets, "assets/*.html"))

// answer shows what a browser sees, or that something went wrong here.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, state string, seen authorize.Seen, err error) {
	if err != nil {
		if r.Context().Err() == nil {
			h.Log.Error("a browser on the way to an institution could not be answered", "error", err)
		}
		h.render(w, r, http.StatusInternalServerError, page{View: "BROKEN"})
		return
	}
	h.show(w, r, state, seen)
}

// show shows a view. A browser goes on by itself where it can.
func (h *handler) show(w http.ResponseWriter, r *http.Request, state string, seen authorize.Seen) {
	p := page{View: seen.View, State: state, Leads: seen.Leads, Code: seen.Code}
	if i, ok := h.Institutions.Find(seen.Company); ok {
		p.Company = i.Company.DisplayName
	}
	if seen.ClientID != "" {
		if c, err := h.Clients.Client(r.Context(), seen.ClientID); err == nil {
			p.Client = c.Name
		}
	}
	status := http.StatusOK
	switch seen.View {
	case authorize.ViewUnknown:
		status = http.StatusNotFound
	case authorize.ViewGoes:
		if r.Method == http.MethodGet {
			http.Redirect(w, r, seen.Leads, http.StatusSeeOther)
			return
		}
	case authorize.ViewWorks:
		p.Reload = true
	case authorize.ViewEnded:
		if p.Leads != "" {
			p.Leads = withOutcome(p.Leads, seen)
			if r.Method == http.MethodGet {
				http.Redirect(w, r, p.Leads, http.StatusSeeOther)
				return
			}
		}
		p.Text = outcomeOf(seen)
	}
	h.render(w, r, status, p)
}

// outcomeOf names the text about an outcome.
func outcomeOf(seen authorize.Seen) string {
	switch {
	case seen.Status == consent.Authorized:
		return "authorized"
	case seen.Failure == consent.AuthenticationCancelled || seen.Failure == consent.Rejected:
		return "cancelled"
	case seen.Failure == consent.AuthenticationTimeout:
		return "late"
	case seen.Failure == consent.AuthenticationMismatch:
		return "mismatch"
	}
	return "failed"
}

// withOutcome adds the outcome to an address of the client: consentId, status, and error
// for a consent that has failed (docs/reference/api.md 4.9).
func withOutcome(address string, seen authorize.Seen) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	q := u.Query()
	q.Set("consentId", string(seen.Consent))
	q.Set("status", string(seen.Status))
	if seen.Failure != "" {
		q.Set("error", string(seen.Failure))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.Lang, p.Words = wordsFor(r.Header.Get("Accept-Language"))
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "page.html", p); err != nil {
		h.Log.Error("a page could not be made", "view", p.View, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// asset answers a style sheet or a script.
func (h *handler) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
	data, err := assets.ReadFile(path.Join("assets", path.Base(name)))
	kind := types[path.Ext(name)]
	if err != nil || kind == "" || strings.Contains(name, "/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(data)
}
