// Package connect is the connect page: what a person sees from the link of a client to data
// (docs/pages.md, docs/reference/api.md 13). A page for each state is rendered here, as forms that work without
// a script; the script asks each second how it stands and shows the next state. Package
// internal/connect decides everything.
package connect

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/connect"
	"samla/internal/dialogue"
	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/pages/look"
	"samla/internal/store"
	"samla/internal/words"
)

// Deps is what the page works with. All are required.
type Deps struct {
	Connect      *connect.Service
	Clients      Clients
	Institutions institution.Institutions
	Health       *company.Health
	Clock        clock.Clock
	Keep         time.Duration  // how long data is kept
	Operator     string         // who runs the server; "" = Samla
	Offer        words.Offer    // of languages; nil = words.Edited
	Zone         *time.Location // of the times that are shown; nil = Sweden's
	PublicURL    func() string
	Log          *slog.Logger
}

// Clients reads clients, and the origins of their pages.
type Clients interface {
	store.ClientReader
	FrameOrigins(ctx context.Context, clientID string) ([]string, error)
}

//go:embed assets templates
var files embed.FS

// The paths below connect.Path that are no flows.
const (
	statePath = connect.Path + "state/"
	leavePath = connect.Path + "leave/"
	dataPath  = connect.Path + "results/"
	assetPath = connect.Path + "assets/"
)

var bundle = func() *look.Bundle {
	b, err := look.NewBundle(assetPath, sub("assets"), "connect.js", "loader.js")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return b
}()

// newKit makes the pages.
func newKit(d Deps) *look.Kit {
	return look.Must(look.New(look.Options{Files: sub("templates"), Operator: d.Operator, Offer: d.Offer, Zone: d.Zone}))
}

func sub(name string) fs.FS {
	s, err := fs.Sub(files, name)
	if err != nil {
		panic(err)
	}
	return s
}

type handler struct {
	Deps
	kit *look.Kit
}

// maxForm bounds what a form sends, in bytes.
const maxForm = 16 << 10

// New returns the handler of everything below connect.Path.
func New(d Deps) http.Handler {
	d.Operator = cmp.Or(d.Operator, "Samla")
	h := &handler{d, newKit(d)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+connect.LinkPath+"{secret}", h.link)
	mux.HandleFunc("POST "+connect.LinkPath+"{secret}", h.open)
	mux.HandleFunc("GET "+statePath+"{flow}", h.state)
	mux.HandleFunc("GET "+leavePath+"{flow}", h.leave)
	mux.HandleFunc("GET "+dataPath+"{flow}", h.results)
	mux.HandleFunc("GET "+connect.Path+"{flow}", h.show)
	mux.HandleFunc("POST "+connect.Path+"{flow}", h.act)
	mux.Handle("GET "+assetPath, bundle)
	mux.HandleFunc("GET "+LoaderPath, h.loader)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { h.ended(w, r, "unknown", flow.Link{}) })
	protected := http.NewCrossOriginProtection().Handler(mux) // another site must not send our forms for a person
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		look.Secure(w.Header())
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		protected.ServeHTTP(w, r)
	})
}

// link answers the address of a link. It changes nothing: programs that look at messages
// open it too.
func (h *handler) link(w http.ResponseWriter, r *http.Request) {
	l, err := h.Connect.Peek(r.Context(), r.PathValue("secret"))
	switch {
	case errors.Is(err, connect.ErrUnknown):
		h.ended(w, r, "unknown", l)
	case err != nil:
		h.broken(w, r, err)
	case !l.OpenedAt.IsZero():
		h.again(w, r, l)
	case !h.Clock.Now().Before(l.ExpiresAt):
		h.ended(w, r, "expired", l)
	default:
		h.framed(r.Context(), w, l.ClientID, l.Terms)
		h.render(w, r, h.interstitial(r, l))
	}
}

// again answers the second visit to a link: the browser that has opened it goes on.
func (h *handler) again(w http.ResponseWriter, r *http.Request, l flow.Link) {
	if key, _ := h.key(r, l.FlowID); key != "" {
		http.Redirect(w, r, connect.Path+l.FlowID, http.StatusSeeOther)
		return
	}
	h.ended(w, r, "used", l)
}

// open opens a link, by the press of a person.
func (h *handler) open(w http.ResponseWriter, r *http.Request) {
	secret := r.PathValue("secret")
	f, key, err := h.Connect.Open(r.Context(), secret)
	switch {
	case err == nil:
		cookie := &http.Cookie{Name: h.cookie(f.ID), Value: key, Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode,
			MaxAge: int(cookieLife / time.Second)}
		if f.Terms.Origin != "" && h.secure() { // the page of another site frames this one
			cookie.SameSite, cookie.Partitioned = http.SameSiteNoneMode, true
		}
		http.SetCookie(w, cookie)
		to := connect.Path + f.ID
		if f.Terms.Origin != "" && framedNow(r) { // the browser may refuse the cookie
			to = withKey(to, key)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	case errors.Is(err, flow.ErrUsed), errors.Is(err, flow.ErrExpired), errors.Is(err, connect.ErrUnknown):
		h.link(w, r)
	default:
		h.broken(w, r, err)
	}
}

const (
	cookieLife = 24 * time.Hour
	idTail     = 12 // characters of the id of a flow that are random
)

func (h *handler) secure() bool { return strings.HasPrefix(h.PublicURL(), "https://") }

// cookie returns the name of the cookie of a flow. A browser may have several flows.
func (h *handler) cookie(id string) string {
	name := "flow-" + id[max(0, len(id)-idTail):]
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

// visitor returns the browser that asks.
func visitor(r *http.Request) connect.Visitor {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return connect.Visitor{Address: host, UserAgent: r.UserAgent()}
}

// show answers with the page of the state. The query can choose an institution: rows of the
// list are links.
func (h *handler) show(w http.ResponseWriter, r *http.Request) {
	if look.Passive(r) {
		return
	}
	id := r.PathValue("flow")
	key, carried := h.key(r, id)
	view, err := h.Connect.View(r.Context(), id, key, visitor(r))
	if err == nil && (r.URL.Query().Has("consentId") || !carried && r.URL.Query().Has(keyName)) { // the institution has sent the person back, or the cookie has come
		http.Redirect(w, r, connect.Path+id, http.StatusSeeOther)
		return
	}
	if chosen := r.URL.Query().Get("choose"); err == nil && chosen != "" && h.choosable(chosen) {
		if _, err = h.Connect.Choose(r.Context(), id, key, view.Flow.Rev, chosen, visitor(r)); err == nil {
			http.Redirect(w, r, withQuery(h.place(r, id), "at", "review"), http.StatusSeeOther)
			return
		}
	}
	h.answer(w, r, view, err)
}

// choosable reports whether an institution can be chosen now: it answers.
func (h *handler) choosable(id string) bool {
	return h.Health.Availability(id, h.Clock.Now()).Functional()
}

// answer answers with the page of a view.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, view connect.View, err error) {
	switch {
	case errors.Is(err, connect.ErrUnknown):
		h.ended(w, r, "browser", flow.Link{})
	case err != nil:
		h.broken(w, r, err)
	default:
		h.framed(r.Context(), w, view.Flow.ClientID, view.Flow.Terms)
		h.render(w, r, h.page(r, view))
	}
}

// act takes a form. The browser then gets the page by its address, so that a reload sends
// nothing again.
func (h *handler) act(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("flow")
	who, ctx := visitor(r), r.Context()
	key, _ := h.key(r, id)
	rev, _ := strconv.ParseInt(r.PostFormValue("rev"), 10, 64)
	var view connect.View
	var err error
	switch act := r.PostFormValue("act"); act {
	case "begin":
		view, err = h.Connect.Begin(ctx, id, key, rev, beginOf(r), who)
	case "cancel":
		view, err = h.Connect.Cancel(ctx, id, key, who)
	case "this", "other":
		view, err = h.Connect.Prefer(ctx, id, key, rev, act == "this", who)
	case "accounts":
		view, err = h.Connect.ChooseAccounts(ctx, id, key, rev, r.PostForm["account"], who)
	case "answer":
		view, err = h.Connect.Answer(ctx, id, key, answerOf(r), who)
	default:
		if event, known := events[act]; known {
			view, err = h.Connect.Act(ctx, id, key, rev, event, who)
		} else {
			view, err = h.Connect.View(ctx, id, key, who)
		}
	}
	if err == nil && len(view.Problems) == 0 && !view.None && !view.Busy && !view.Stale {
		http.Redirect(w, r, h.place(r, id), http.StatusSeeOther)
		return
	}
	h.answer(w, r, view, err)
}

// events are the acts that need nothing but an event.
var events = map[string]flow.Event{
	"change": flow.Change{}, "again": flow.Again{},
}

func beginOf(r *http.Request) connect.Begin {
	kind, method, _ := strings.Cut(r.PostFormValue("way"), ":")
	return connect.Begin{Kind: connect.WayKind(kind), Method: method, Typed: flow.Typed{PersonalNumber: strings.TrimSpace(r.PostFormValue("personalNumber")),
		Email: strings.TrimSpace(r.PostFormValue("email")), UserID: strings.TrimSpace(r.PostFormValue("userId"))}}
}

// answerOf returns the answer to a question. Inputs are named "input:KEY".
func answerOf(r *http.Request) dialogue.Answer {
	a := dialogue.Answer{Question: r.PostFormValue("question"), Choice: r.PostFormValue("choice")}
	if a.Choice == "" {
		a.Code = strings.ReplaceAll(strings.TrimSpace(r.PostFormValue("code")), " ", "")
	}
	for name, values := range r.PostForm {
		if key, is := strings.CutPrefix(name, "input:"); is {
			if a.Inputs == nil {
				a.Inputs = map[string]string{}
			}
			a.Inputs[key] = strings.TrimSpace(values[0])
		}
	}
	return a
}

// leave ends the flow and sends the person to the client.
func (h *handler) leave(w http.ResponseWriter, r *http.Request) {
	if look.Passive(r) {
		return
	}
	id := r.PathValue("flow")
	key, _ := h.key(r, id)
	view, err := h.Connect.View(r.Context(), id, key, visitor(r))
	if err != nil {
		h.answer(w, r, view, err)
		return
	}
	to := backAddress(view.Flow)
	if view, err = h.Connect.Act(r.Context(), id, key, view.Flow.Rev, flow.Leave{}, visitor(r)); err != nil || to == "" {
		h.answer(w, r, view, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
