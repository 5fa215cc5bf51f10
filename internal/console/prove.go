package console

import (
	"net/http"
	"time"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
)

// provePath is the page where somebody proves again who they are.
const provePath = "/me/prove"

// proof is what that page shows.
type proof struct {
	operators.Ways
	Name, To, Begin string
	Problem         string
}

// fresh lets those through who have proved who they are lately, and within grace after it.
// The others go to a page that asks, and from there to the page that back returns. A script
// is told where to go.
func (h *handler) fresh(grace time.Duration, back func(*http.Request) string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := frameOf(r.Context())
		if f.session.ID == "" || f.session.Fresh(h.Operators.Clock.Now(), grace) { // a hook has no session
			next(w, r)
			return
		}
		to := provePath + "?to=" + escape(back(r))
		if r.Header.Get("Content-Type") == "application/json" {
			answer(w, http.StatusForbidden, map[string]string{"error": "Prove first that it is you.", "to": to})
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// page returns a page to go on to.
func page(path string) func(*http.Request) string { return func(*http.Request) string { return path } }

func (h *handler) showProve(w http.ResponseWriter, r *http.Request) {
	h.provePage(w, r, http.StatusOK, local(r.URL.Query().Get("to")), "")
}

func (h *handler) provePage(w http.ResponseWriter, r *http.Request, status int, to, problem string) {
	by := frameOf(r.Context()).by
	p := proof{Name: by.Name, To: to, Begin: provePath + "/passkey", Problem: problem}
	a, err := h.Operators.Find(r.Context(), by.Name)
	if err == nil {
		p.Ways, err = h.Operators.WaysOf(r.Context(), a)
	}
	if err != nil {
		Fail(w, r, err)
		return
	}
	h.render(w, r, look.Page{Status: status, Content: "console/prove", View: "PROVE", Title: "Is it you?", Data: p})
}

// prove takes a password and a code.
func (h *handler) prove(w http.ResponseWriter, r *http.Request) {
	f, to := frameOf(r.Context()), local(r.PostFormValue("to"))
	secret, err := h.Operators.Prove(r.Context(), f.by, f.session.ID, operators.Try{Password: r.PostFormValue("password"), Code: r.PostFormValue("code")}, from(r))
	if status, text, ok := h.refusal(err); ok {
		if status == http.StatusUnauthorized {
			text = "The password or the code is wrong."
		}
		h.provePage(w, r, status, to, text)
		return
	}
	if err != nil {
		Fail(w, r, err)
		return
	}
	h.keep(w, secret)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// provePasskey takes the answer of a passkey.
func (h *handler) provePasskey(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	b, err := body(r)
	if err != nil {
		h.said(w, r, operators.ErrWrong)
		return
	}
	secret, err := h.Operators.ProvePasskey(r.Context(), f.by, f.session.ID, r.PathValue("id"), b, from(r))
	if err != nil {
		h.said(w, r, err)
		return
	}
	h.keep(w, secret)
	answer(w, http.StatusOK, map[string]string{"to": local(r.URL.Query().Get("to"))})
}

// typed is the page of operators with what somebody typed about a new one.
func typed(r *http.Request) string {
	return "/operators?name=" + escape(r.PostFormValue("name")) + "&role=" + escape(r.PostFormValue("role")) + "#add"
}

// formTime is how long a form may take that began while the session was fresh.
const formTime = operator.CeremonyLife
