// Package pages answers the browsers of persons who sign on a page of an institution: the
// link that leads there, the address where the institution sends them back, and what they
// see in between (docs/decisions/2026-11-27-redirect-and-tokens.md). It has no rules of its
// own: which browser may do what is decided by consent.Visit and package authorize.
//
// No page names a person. Pages make no request to another host; a Content-Security-Policy
// forbids it.
package pages

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/pages/look"
	"samla/internal/words"
)

// Ways is the part of package authorize that the pages need.
type Ways interface {
	Visit(ctx context.Context, state, browser, agent string, confirmed bool) (authorize.Seen, error)
	BeginsAt(ctx context.Context, state, origin string) (bool, error)
	Deny(ctx context.Context, state, browser string) (authorize.Seen, error)
	Return(ctx context.Context, companyID, state, browser string, by consent.Carrier, what url.Values) (authorize.Seen, error)
	EnterCode(ctx context.Context, state, browser, code string) (authorize.Seen, error)
}

// Clients reads the names of clients.
type Clients interface {
	Client(ctx context.Context, id string) (client.Client, error)
}

// Deps is what the pages work with. All members but Random, Operator, Offer and IsOutage are required.
type Deps struct {
	Ways         Ways
	Clients      Clients
	Institutions institution.Institutions
	PublicURL    func() string
	Log          *slog.Logger
	Random       io.Reader      // of the cookies of browsers; nil = the machine's
	Operator     string         // who runs the server; "" = Samla
	Offer        words.Offer    // of languages; nil = words.Edited
	Zone         *time.Location // of the times that are shown; nil = Sweden's
	// IsOutage reports whether an error is about an outage of the store; nil: none is known.
	IsOutage func(error) bool
}

//go:embed assets
var assets embed.FS

const (
	maxReturn  = 16 << 10 // bytes of what is brought back
	cookieLife = 24 * time.Hour
)

type handler struct {
	Deps
	kit *look.Kit
	own *http.CrossOriginProtection // knows the forms of our pages
}

// Paths are what the paths of all pages begin with.
func Paths() []string {
	return []string{authorize.GoPath, authorize.ReturnPath, "/pages/"}
}

// New returns the handler of everything below Paths.
func New(d Deps) http.Handler {
	if d.Random == nil {
		d.Random = rand.Reader
	}
	if d.IsOutage == nil {
		d.IsOutage = func(error) bool { return false }
	}
	h := &handler{d, newKit(d), http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+authorize.GoPath+"{state}", h.visit)
	mux.HandleFunc("POST "+authorize.GoPath+"{state}", h.decide)
	mux.HandleFunc("GET "+authorize.ReturnPath+"{company}", h.back)
	mux.HandleFunc("POST "+authorize.ReturnPath+"{company}", h.backInFragment)
	mux.HandleFunc("GET "+authorize.ReturnPath+"{company}/{state}", h.back)
	mux.Handle("GET "+look.AssetPath, look.Assets)
	mux.Handle("GET /pages/{file}", scripts)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.show(w, r, "", authorize.Seen{View: authorize.ViewUnknown})
	})
	// Another site must not send our forms for a person: "begun" is the person's own word.
	// decide tells the page of the client from other sites itself.
	protected := http.NewCrossOriginProtection()
	protected.AddInsecureBypassPattern("POST " + authorize.GoPath + "{state}")
	return look.Secured(protected.Handler(mux))
}

// visit answers the link to the institution, and the look of a browser that waits.
func (h *handler) visit(w http.ResponseWriter, r *http.Request) {
	if look.Passive(r) {
		return
	}
	state := r.PathValue("state")
	browser, ok := h.browser(w, r, state)
	if !ok {
		return
	}
	seen, err := h.Ways.Visit(r.Context(), state, browser.secret, r.UserAgent(), false)
	h.goes(w, r, state, browser, seen)
	h.remember(w, state, browser, seen, err)
	h.answer(w, r, state, seen, err)
}

// goes lets the cookie of a browser that goes on to the institution have the state of the
// way that it goes now. A consent can have several, one after the other, and an institution
// may send the browser back without a state.
func (h *handler) goes(w http.ResponseWriter, r *http.Request, state string, b browser, seen authorize.Seen) {
	if c, err := r.Cookie(cookieName(state)); err == nil && seen.View == authorize.ViewGoes && c.Value != cookieValue(state, b.secret) {
		h.setCookie(w, state, b.secret)
	}
}

// decide answers the forms of the pages: whether the person has begun this, and a short code.
// Of other sites, only the page of the client on which the person has begun can say so. The
// form of any other one is no more than a link. A form of another site brings no cookie
// (SameSite=Lax): to a browser that may go no further by it, the link says what the cookie is
// good for.
func (h *handler) decide(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxReturn)
	state := r.PathValue("state")
	foreign := isState(state) && h.own.Check(r) != nil
	if foreign {
		begins := false
		if r.PostFormValue("begun") == "yes" && r.PostFormValue("code") == "" {
			var err error
			if begins, err = h.Ways.BeginsAt(r.Context(), state, r.Header.Get("Origin")); err != nil {
				h.answer(w, r, state, authorize.Seen{}, err)
				return
			}
		}
		if !begins {
			http.Redirect(w, r, authorize.GoPath+state, http.StatusSeeOther)
			return
		}
	}
	browser, ok := h.browser(w, r, state)
	if !ok {
		return
	}
	var seen authorize.Seen
	var err error
	switch code, begun := r.PostFormValue("code"), r.PostFormValue("begun"); {
	case code != "":
		seen, err = h.Ways.EnterCode(r.Context(), state, browser.secret, normalCode(code))
	case begun == "no":
		seen, err = h.Ways.Deny(r.Context(), state, browser.secret)
	default:
		seen, err = h.Ways.Visit(r.Context(), state, browser.secret, r.UserAgent(), begun == "yes")
		h.goes(w, r, state, browser, seen)
	}
	switch {
	case foreign && err == nil && seen.View == authorize.ViewElsewhere:
		http.Redirect(w, r, authorize.GoPath+state, http.StatusSeeOther)
		return
	case !foreign || err == nil: // a new cookie would take the place of one that did not come along
		h.remember(w, state, browser, seen, err)
	}
	h.answer(w, r, state, seen, err)
}

// normalCode returns a code as it is compared: in capitals, without what people add.
func normalCode(code string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(code))
}

// back answers a browser that the institution has sent back. What it brings is in the
// query, or in the fragment, which a script sends.
func (h *handler) back(w http.ResponseWriter, r *http.Request) {
	switch {
	case look.Passive(r):
		return
	case len(r.URL.RawQuery) > maxReturn:
		h.show(w, r, "", authorize.Seen{View: authorize.ViewUnknown})
		return
	case r.PathValue("state") == "" && r.URL.RawQuery == "":
		h.render(w, r, http.StatusOK, page{View: "FRAGMENT"})
		return
	}
	what, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		what = url.Values{}
	}
	h.returned(w, r, consent.InQuery, what)
}

func (h *handler) backInFragment(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxReturn)
	what, err := url.ParseQuery(strings.TrimPrefix(r.PostFormValue("fragment"), "#"))
	if err != nil {
		what = url.Values{}
	}
	h.returned(w, r, consent.InFragment, what)
}

// returned stores what came back. Then the browser goes to an address without it: a reload
// does not repeat it, and it is not in the history.
func (h *handler) returned(w http.ResponseWriter, r *http.Request, by consent.Carrier, what url.Values) {
	company := r.PathValue("company")
	state := r.PathValue("state")
	if state == "" {
		state = what.Get("state")
	}
	if state == "" {
		state = h.stateOfCookies(r) // the institution did not repeat it
	}
	browser, ok := h.browser(w, r, state)
	if !ok {
		return
	}
	seen, err := h.Ways.Return(r.Context(), company, state, browser.secret, by, what)
	h.remember(w, state, browser, seen, err)
	if err == nil && seen.View != authorize.ViewUnknown && seen.View != authorize.ViewElsewhere {
		http.Redirect(w, r, authorize.GoPath+state, http.StatusSeeOther)
		return
	}
	h.answer(w, r, state, seen, err)
}

// cookieNameLength is how much of a state names its consent: every way of a consent has the
// same cookie.
const cookieNameLength = 21

func cookieName(state string) string {
	return "samla-" + state[:min(len(state), cookieNameLength)]
}

func cookieValue(state, secret string) string { return state + "." + secret }

// browser is a browser on a way: the secret of its cookie, and whether it has the cookie not
// yet.
type browser struct {
	secret string
	isNew  bool
}

// remember gives a new browser its cookie. One that comes with a state that nobody knows gets
// none: a link to many of them could fill the cookies that a browser keeps for this host.
func (h *handler) remember(w http.ResponseWriter, state string, b browser, seen authorize.Seen, err error) {
	if b.isNew && (err != nil || seen.View != authorize.ViewUnknown && seen.View != authorize.ViewElsewhere) {
		h.setCookie(w, state, b.secret)
	}
}

// browser returns the browser of a request for a way. It reports whether the request can be
// answered.
func (h *handler) browser(w http.ResponseWriter, r *http.Request, state string) (browser, bool) {
	if !isState(state) {
		h.show(w, r, "", authorize.Seen{View: authorize.ViewUnknown})
		return browser{}, false
	}
	if c, err := r.Cookie(cookieName(state)); err == nil {
		if _, secret, ok := strings.Cut(c.Value, "."); ok && len(secret) >= 22 {
			return browser{secret: secret}, true
		}
	}
	raw := make([]byte, 16)
	if _, err := io.ReadFull(h.Random, raw); err != nil {
		h.answer(w, r, state, authorize.Seen{}, err)
		return browser{}, false
	}
	return browser{base64.RawURLEncoding.EncodeToString(raw), true}, true
}

func (h *handler) setCookie(w http.ResponseWriter, state, secret string) {
	http.SetCookie(w, &http.Cookie{Name: cookieName(state), Value: cookieValue(state, secret), Path: "/", HttpOnly: true,
		Secure: strings.HasPrefix(h.PublicURL(), "https://"), SameSite: http.SameSiteLaxMode, MaxAge: int(cookieLife / time.Second)})
}

// isState reports whether a text has the form of a state.
func isState(text string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(raw) == 32
}

// stateOfCookies returns the state of the only way that the browser is on, or "".
func (h *handler) stateOfCookies(r *http.Request) string {
	found := ""
	for _, c := range r.Cookies() {
		state, _, ok := strings.Cut(c.Value, ".")
		if !ok || !strings.HasPrefix(c.Name, "samla-") || !isState(state) {
			continue
		}
		if found != "" {
			return "" // it is not known which one
		}
		found = state
	}
	return found
}
