package console

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
	"samla/internal/store"
)

// The names of the cookie: with the prefix a browser takes it over HTTPS only, from this
// host only (RFC 6265bis 4.1.3.2). A browser on this machine has no HTTPS.
const (
	cookieSecure = "__Host-samla-console"
	cookiePlain  = "samla-console"
)

func (h *handler) secure() bool { return strings.HasPrefix(h.URL(), "https://") }

func (h *handler) cookie() string {
	if h.secure() {
		return cookieSecure
	}
	return cookiePlain
}

// keep gives the browser the secret of a session; an empty one takes it away. The cookie is
// not sent with a request that begins at another site.
func (h *handler) keep(w http.ResponseWriter, secret string) {
	c := &http.Cookie{Name: h.cookie(), Value: secret, Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteStrictMode,
		MaxAge: int(operator.AbsoluteLife / time.Second)}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// whose returns who asks. A request of a script that keeps a page fresh is no use of the
// session.
func (h *handler) whose(r *http.Request) (f frame, err error) {
	if h.Hook != nil {
		if o, ok := h.Hook(r); ok {
			return frame{of: h, by: o}, nil
		}
	}
	c, err := r.Cookie(h.cookie())
	if err != nil || h.Operators == nil {
		return f, store.ErrNotFound
	}
	o, s, err := h.Operators.Session(r.Context(), c.Value, !look.WantsFragment(r))
	return frame{of: h, by: o, session: s}, err
}

// from says where a request comes from.
func from(r *http.Request) operators.From {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return operators.From{Address: host, Agent: r.UserAgent()}
}

// signInFirst sends somebody without a session to the sign-in, which leads back to the page.
func (h *handler) signInFirst(w http.ResponseWriter, r *http.Request) {
	if look.WantsFragment(r) || h.Operators == nil {
		http.Error(w, "Sign in first.", http.StatusUnauthorized)
		return
	}
	to := "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?to=" + escape(r.URL.RequestURI())
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// local returns the address of a page of the console, whatever a link asks for.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// signedIn lets an operator with a role through, and shows the others why not. narrow is that of
// the view (View.Narrow), nil if there is none.
func (h *handler) signedIn(needs operator.Role, next http.HandlerFunc, narrow func(*http.Request) (text, address string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := h.whose(r)
		switch {
		case errors.Is(err, store.ErrNotFound):
			h.signInFirst(w, r)
			return
		case err != nil:
			Fail(w, h.with(r, frame{of: h}), err)
			return
		}
		f.narrow = narrow
		r = h.with(r, f)
		if !f.by.Role.Covers(needs) {
			Message(w, r, http.StatusForbidden, "This takes the role "+string(needs),
				"You are signed in as "+f.by.Name+", with the role "+string(f.by.Role)+". An admin can give you another role.")
			return
		}
		next(w, r)
	}
}
