// Package permissions is My permissions: the pages on which a person sees who may read
// their data and what was read, withdraws, downloads and erases (docs/reference/api.md 3.7).
// Package permissions of the services does it. Nothing changes by a GET, and all works
// without script.
package permissions

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/pages/look"
	service "samla/internal/permissions"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/words"
)

// Path is what the paths of all pages begin with.
const Path = "/permissions"

// Clients reads the names of clients.
type Clients interface {
	Client(ctx context.Context, id string) (client.Client, error)
}

// Renewer leads a person to where a permission is given again, for a consent that is
// about to end or has ended, in a language. It returns the address. Faults:
// ConsentNotFound, ConsentNotRenewable.
type Renewer func(ctx context.Context, v session.Visit, id consent.ID, l words.Language) (address string, err error)

// Deps is what the pages work with. All are required.
type Deps struct {
	Service      *service.Service
	Clients      Clients
	Institutions institution.Institutions
	PublicURL    func() string
	Clock        clock.Clock
	Log          *slog.Logger
	Renew        Renewer
	Operator     string         // who runs the server
	Offer        words.Offer    // of languages; nil = words.Edited
	Zone         *time.Location // of the times that are shown; nil = Sweden's
	BackupDays   int            // for how long backups hold what was erased
	AuditYears   int            // for how long the audit log is kept
}

// The names of the cookie: with the prefix a browser takes it over HTTPS only, from this
// host only. Without HTTPS, in development, it cannot have it.
const (
	cookieSecure = "__Host-permissions"
	cookiePlain  = "permissions"
)

const maxForm = 4 << 10

//go:embed templates assets
var files embed.FS

type handler struct {
	Deps
	kit *look.Kit
}

func sub(name string) fs.FS {
	s, err := fs.Sub(files, name)
	if err != nil {
		panic(err)
	}
	return s
}

// New returns the handler of everything below Path.
func New(d Deps) http.Handler {
	h := &handler{d, look.Must(look.New(look.Options{Files: sub("templates"), Offer: d.Offer, Operator: d.Operator, Zone: d.Zone}))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, h.list)
	mux.HandleFunc("GET "+signInPath, h.signingIn)
	mux.HandleFunc("POST "+signInPath, h.begin)
	mux.Handle("GET "+assetPath, bundle)
	mux.HandleFunc("GET "+service.LinkPath+"{secret}", h.link)
	mux.HandleFunc("POST "+service.LinkPath+"{secret}", h.open)
	mux.HandleFunc("GET "+Path+"/history/{id}", h.signedIn(h.owned(h.history)))
	mux.HandleFunc("POST "+Path+"/withdraw/{id}", h.signedIn(h.owned(h.withdraw)))
	mux.HandleFunc("POST "+Path+"/renew/{id}", h.signedIn(h.owned(h.renew)))
	mux.HandleFunc("GET "+Path+"/download", h.signedIn(h.download))
	mux.HandleFunc("POST "+Path+"/download", h.signedIn(h.ask))
	mux.HandleFunc("GET "+Path+"/archive", h.signedIn(h.archive))
	mux.HandleFunc("GET "+Path+"/erase", h.signedIn(h.eraseForm))
	mux.HandleFunc("POST "+Path+"/erase", h.signedIn(h.erase))
	mux.HandleFunc("POST "+Path+"/signout", h.signedIn(h.signOut))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.end(w, r, http.StatusNotFound, "link.unknown.h1", "link.unknown.lead")
	})
	// Another site must not send our forms for a person.
	return look.Secured(http.NewCrossOriginProtection().Handler(mux))
}

func (h *handler) secure() bool { return strings.HasPrefix(h.PublicURL(), "https://") }

func (h *handler) cookieName() string {
	if h.secure() {
		return cookieSecure
	}
	return cookiePlain
}

func (h *handler) setCookie(w http.ResponseWriter, secret string, age int) {
	http.SetCookie(w, &http.Cookie{Name: h.cookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode, MaxAge: age})
}

// visits returns the visits of a request; none if the person is not signed in.
func (h *handler) visits(r *http.Request) ([]session.Visit, error) {
	c, err := r.Cookie(h.cookieName())
	if err != nil {
		return nil, nil
	}
	return h.Service.Visiting(r.Context(), c.Value)
}

// seen is what a page of a person who is signed in knows.
type seen struct {
	session.Visit // that the page is about: the one that the query "at" names, or the first
	all           []session.Visit
	asker         string
	identity      client.Identity // of the asker
	lang          words.Language
	texts         *words.Texts
}

// signedIn shows a page only to a person who is signed in.
func (h *handler) signedIn(show func(http.ResponseWriter, *http.Request, seen)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if look.Passive(r) {
			return
		}
		all, err := h.visits(r)
		switch {
		case err != nil:
			h.broken(w, r, err)
		case len(all) == 0:
			h.signIn(w, r, r.Method == http.MethodPost)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			s, err := h.seen(r, all)
			if err != nil {
				h.broken(w, r, err)
				return
			}
			show(w, r, s)
		}
	}
}

func (h *handler) seen(r *http.Request, all []session.Visit) (seen, error) {
	v := all[0]
	for _, other := range all {
		if other.ID == r.URL.Query().Get("at") {
			v = other
		}
	}
	return h.about(r, all, v)
}

// about returns what a page knows that is about a visit.
func (h *handler) about(r *http.Request, all []session.Visit, v session.Visit) (seen, error) {
	c, err := h.Clients.Client(r.Context(), v.ClientID)
	l := h.kit.Language(r, v.Language)
	return seen{Visit: v, all: all, asker: c.Name, identity: c.Identity, lang: l, texts: words.In(l)}, err
}

// signIn is shown to who is not signed in. late says that the person was, it seems.
func (h *handler) signIn(w http.ResponseWriter, r *http.Request, late bool) {
	lead := words.Key("perm.signin.lead")
	status := http.StatusOK
	if _, err := r.Cookie(h.cookieName()); err == nil || late {
		lead, status = "he.UNAUTHORIZED", http.StatusForbidden
	}
	if !h.Service.SignsIn() {
		h.message(w, r, message{Status: status, Title: "perm.signin.h1", Lead: lead, More: "perm.signin.ask", View: "SIGN_IN"})
		return
	}
	l := h.kit.Language(r)
	say := words.In(l)
	h.render(w, r, look.Page{Status: status, Language: string(l), Content: "perm/signin", View: "SIGN_IN", Title: say.Say("perm.signin.h1", words.Values{}), Brand: h.Operator, Languages: here(r),
		Data: signInData{Page: signInPath, Lead: say.Say(lead, words.Values{}), More: say.Say("perm.signin.link", words.Values{}), Buttons: h.ways(r, say)}})
}

// message is a page that says one thing.
type message struct {
	Status            int
	Title, Lead, More words.Key
	View              string
	Language          string
	Values            words.Values
	Act               string // address of a form with one button
	ActText           words.Key
	Brand             string
}

// messageData is what the template of a message shows.
type messageData struct{ Title, Lead, More, Act, ActText string }

func (h *handler) message(w http.ResponseWriter, r *http.Request, m message) {
	l := h.kit.Language(r, m.Language)
	texts := words.In(l)
	say := func(key words.Key) string {
		if key == "" {
			return ""
		}
		return texts.Say(key, m.Values)
	}
	tile := m.Brand != ""
	if !tile {
		m.Brand = h.Operator
	}
	h.render(w, r, look.Page{Status: m.Status, Language: string(l), Content: "perm/message", View: m.View, Title: say(m.Title), Brand: m.Brand, Tile: tile,
		Data: messageData{say(m.Title), say(m.Lead), say(m.More), m.Act, say(m.ActText)}, Languages: here(r)})
}

func (h *handler) end(w http.ResponseWriter, r *http.Request, status int, title, lead words.Key) {
	h.message(w, r, message{Status: status, Title: title, Lead: lead, View: "END"})
}

// broken says that something went wrong here, or, after an erasure that came between two
// readings, that there is nothing any more.
func (h *handler) broken(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, seal.ErrKeyDestroyed) ||
		errors.Is(err, fault.New(fault.Unauthorized)) || errors.Is(err, fault.New(fault.ConsentNotFound)) || errors.Is(err, fault.New(fault.UserNotFound)) {
		h.end(w, r, http.StatusNotFound, "link.unknown.h1", "link.unknown.lead")
		return
	}
	if r.Context().Err() == nil {
		h.Log.Error("a page of My permissions could not be answered", "error", err)
	}
	h.message(w, r, message{Status: http.StatusInternalServerError, Title: "ce.INTERNAL_ERROR.title", Lead: "go.broken.lead", View: "BROKEN"})
}

func (h *handler) render(w http.ResponseWriter, r *http.Request, p look.Page) {
	look.KeepLanguage(w, r, h.secure())
	if err := h.kit.Render(w, r, p); err != nil {
		h.Log.Error("a page of My permissions could not be made", "view", p.View, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

// page is a page of a person who is signed in.
func (h *handler) page(s seen, content, view string, title words.Key, r *http.Request, data any) look.Page {
	p := look.Page{Language: string(s.lang), Content: content, View: view, Title: s.texts.Say(title, words.Values{}), Brand: s.asker, Tile: true,
		Action: "perm/signout", Data: data, Languages: here(r)}
	if s.Person != "" { // the page is about all who ask
		p.Brand, p.Tile = h.Operator, false
	}
	return p
}

// here returns the address of a page without the language that it chooses.
func here(r *http.Request) string {
	q := r.URL.Query()
	q.Del("lang")
	if len(q) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + q.Encode()
}

// link asks the person to go on: programs that look at links must not use them up.
func (h *handler) link(w http.ResponseWriter, r *http.Request) {
	v, err := h.Service.Link(r.Context(), r.PathValue("secret"))
	if err != nil {
		h.linkEnd(w, r, v, err)
		return
	}
	c, err := h.Clients.Client(r.Context(), v.ClientID)
	if err != nil {
		h.broken(w, r, err)
		return
	}
	h.message(w, r, message{Title: "perm.h1", Lead: "perm.lead", More: "perm.link.lead", View: "LINK", Language: v.Language, Act: r.URL.Path, ActText: "perm.link.open", Brand: c.Name})
}

func (h *handler) open(w http.ResponseWriter, r *http.Request) {
	key, v, err := h.Service.Open(r.Context(), r.PathValue("secret"))
	if err != nil {
		h.linkEnd(w, r, v, err)
		return
	}
	h.setCookie(w, key, 0)
	http.Redirect(w, r, Path, http.StatusSeeOther)
}

// linkEnd says why a link does not work.
func (h *handler) linkEnd(w http.ResponseWriter, r *http.Request, v session.Visit, err error) {
	m := message{Status: http.StatusGone, View: "END", Language: v.Language}
	switch {
	case errors.Is(err, session.ErrLinkUsed):
		m.Title, m.Lead = "link.used.h1", "link.used.lead"
	case errors.Is(err, session.ErrLinkExpired):
		m.Title, m.Lead = "link.expired.h1", "link.expired.lead"
	case errors.Is(err, store.ErrNotFound):
		m.Status, m.Title, m.Lead = http.StatusNotFound, "link.unknown.h1", "link.unknown.lead"
	default:
		h.broken(w, r, err)
		return
	}
	if v.ClientID != "" {
		c, err := h.Clients.Client(r.Context(), v.ClientID)
		if err != nil {
			h.broken(w, r, err)
			return
		}
		m.Values.Asker, m.Brand = c.Name, c.Name
		texts := words.In(h.kit.Language(r, v.Language))
		m.Values.Time = texts.Clock(v.OpenBy.In(h.kit.Zone()))
	}
	h.message(w, r, m)
}

// failed shows what failed as a page: a permission that there is not for this person, or
// that has ended already.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, s seen, err error) {
	var f *fault.Fault
	key, status := words.Key(""), http.StatusNotFound
	if errors.As(err, &f) {
		switch f.Code {
		case fault.ConsentNotFound:
			key = "he.CONSENT_NOT_FOUND"
		case fault.ConsentNotRevocable:
			key, status = "he.CONSENT_NOT_REVOCABLE", http.StatusConflict
		case fault.ConsentNotRenewable:
			key, status = "he.CONSENT_NOT_RENEWABLE", http.StatusConflict
		}
	}
	if errors.Is(err, service.ErrNotWhole) {
		key, status = "perm.data.link", http.StatusForbidden
	}
	if key == "" {
		h.broken(w, r, err)
		return
	}
	p := h.page(s, "perm/message", "FAILED", "perm.h1", r, messageData{Title: s.texts.Say("perm.h1", words.Values{}), Lead: s.texts.Say(key, words.Values{Asker: s.asker}),
		Act: Path, ActText: s.texts.Say("c.back", words.Values{})})
	p.Status, p.Languages = status, ""
	p.Content = "perm/failed"
	h.render(w, r, p)
}

// number returns a number of a query, 0 for none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return n
}
