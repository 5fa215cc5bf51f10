package pages

import (
	"cmp"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/pages/look"
	"samla/internal/words"
)

// page is what a template shows.
type page struct {
	View    authorize.View
	Company string // display name
	Client  string // name
	State   string
	Leads   string // where a link leads
	Until   time.Time
	Code    string
	Reload  int // look again after so many seconds; 0 = not
	Outcome string
	Title   string
}

// titles are the keys of the headings of views.
var titles = map[authorize.View]words.Key{
	"FRAGMENT": "go.moment", authorize.ViewAsks: "else.h1", authorize.ViewGoes: "bank.go", authorize.ViewWorks: "go.asking", authorize.ViewChooses: "acct.h1", authorize.ViewOthersSign: "go.others", authorize.ViewShowsCode: "link.browser.h1",
	authorize.ViewEntersCode: "link.browser.h1", authorize.ViewElsewhere: "go.elsewhere", authorize.ViewStopped: "go.stopped", "BROKEN": "ce.INTERNAL_ERROR.title", authorize.ViewUnknown: "go.unknown",
}

// outcomes are the keys of the headings of ends.
var outcomes = map[string]words.Key{"authorized": "go.done", "cancelled": "go.no", "late": "go.late", "mismatch": "go.mismatch", "failed": "go.failed"}

// parts are the templates and the script.
func parts() fs.FS {
	sub, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err)
	}
	return sub
}

// newKit makes the pages. The relay on them names who runs the server.
func newKit(d Deps) *look.Kit {
	operator := cmp.Or(d.Operator, "Samla")
	return look.Must(look.New(look.Options{Files: parts(), Help: "/permissions", Operator: operator, Offer: d.Offer, Zone: d.Zone, Funcs: map[string]any{
		"relay": func(you, institution string) *look.Relay { return look.NewRelay(you, operator, institution, 2, false) },
	}}))
}

var (
	scripts = func() *look.Bundle {
		b, err := look.NewBundle("/pages/", parts(), "fragment.js")
		if err != nil {
			panic(err)
		}
		return b
	}()
)

// answer shows what a browser sees, or that something went wrong here.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, state string, seen authorize.Seen, err error) {
	if err != nil {
		if r.Context().Err() == nil {
			h.Log.Error("a browser on the way to an institution could not be answered", "error", err)
		}
		p, status := page{View: "BROKEN"}, http.StatusInternalServerError
		if h.IsOutage(err) {
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", strconv.Itoa(tryAgain))
			if r.Method == http.MethodGet { // what was brought is in the address
				p.Reload = tryAgain
			}
		}
		h.render(w, r, status, p)
		return
	}
	h.show(w, r, state, seen)
}

// tryAgain is how often a page looks while the store has an outage, in seconds.
const tryAgain = 5

// lookAgain is how often a page looks that waits for another person, in seconds. It may stay
// open for days.
const lookAgain = 60

// show shows a view. A browser goes on by itself where it can.
func (h *handler) show(w http.ResponseWriter, r *http.Request, state string, seen authorize.Seen) {
	p := page{View: seen.View, State: state, Leads: seen.Leads, Code: seen.Code, Until: seen.Until}
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
		p.Reload = 1
	case authorize.ViewChooses:
		http.Redirect(w, r, seen.Leads, http.StatusSeeOther)
		return
	case authorize.ViewOthersSign:
		p.Reload = lookAgain
		if p.Leads != "" {
			p.Leads = withOutcome(p.Leads, seen)
		}
	case authorize.ViewEnded:
		if p.Leads != "" {
			p.Leads = withOutcome(p.Leads, seen)
			if r.Method == http.MethodGet {
				http.Redirect(w, r, p.Leads, http.StatusSeeOther)
				return
			}
		}
		p.Outcome = outcomeOf(seen)
	}
	h.render(w, r, status, p)
}

// outcomeOf names an outcome.
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
	key, ok := titles[p.View]
	if !ok {
		key = titles[authorize.ViewUnknown]
	}
	if p.View == authorize.ViewEnded {
		key = outcomes[p.Outcome]
	}
	l := h.kit.Language(r)
	p.Title = words.In(l).Say(key, words.Values{Institution: p.Company, Asker: p.Client})
	shown := look.Page{Status: status, Language: string(l), Content: "go", View: string(p.View), Title: p.Title, Data: p, Brand: p.Client, Tile: p.Client != ""}
	shown.Refresh = p.Reload
	if p.View == authorize.ViewGoes && p.Leads != "" {
		shown.RefreshTo = p.Leads
	}
	if p.View == "FRAGMENT" {
		shown.Scripts = []string{scripts.Address("fragment.js")}
	}
	if err := h.kit.Render(w, r, shown); err != nil {
		h.Log.Error("a page could not be made", "view", p.View, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}
