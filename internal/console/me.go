package console

import (
	"errors"
	"net/http"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
)

// mine is what the page about oneself shows.
type mine struct {
	operator.Operator
	operators.Ways
	Sessions []operator.Session
	Here     string // id of this session
	Problem  string
}

func (h *handler) showMe(w http.ResponseWriter, r *http.Request) { h.me(w, r, http.StatusOK, "") }

func (h *handler) me(w http.ResponseWriter, r *http.Request, status int, problem string) {
	f := frameOf(r.Context())
	m := mine{Operator: f.by, Here: f.session.ID, Problem: problem}
	a, err := h.Operators.Find(r.Context(), f.by.Name)
	if err == nil {
		m.Ways, err = h.Operators.WaysOf(r.Context(), a)
	}
	if err == nil {
		m.Sessions, err = h.Operators.Sessions(r.Context(), f.by.ID)
	}
	if err != nil {
		Fail(w, r, err)
		return
	}
	h.render(w, r, look.Page{Status: status, Content: "console/me", View: "ME", Title: "Your sign-in", Data: m})
}

// render shows a page with the script for passkeys.
func (h *handler) render(w http.ResponseWriter, r *http.Request, p look.Page) {
	p.Scripts = []string{assets.Address("passkey.js")}
	Render(w, r, h.kit, p)
}

func (h *handler) endMine(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	id, except := r.PostFormValue("session"), f.session.ID
	if id != "" {
		except = ""
	}
	if _, err := h.Operators.End(r.Context(), f.by.ID, f.by.ID, id, except); err != nil {
		Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/me#sessions", http.StatusSeeOther)
}

func (h *handler) beginMyPasskey(w http.ResponseWriter, r *http.Request) {
	c, err := h.Operators.BeginPasskey(r.Context(), frameOf(r.Context()).by)
	if err != nil {
		h.said(w, r, err)
		return
	}
	answer(w, http.StatusOK, c)
}

func (h *handler) addMyPasskey(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	b, err := body(r)
	if err == nil {
		err = h.Operators.AddPasskey(r.Context(), f.by, f.session.ID, r.PathValue("id"), b, from(r))
	}
	if err != nil {
		h.said(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"to": "/me"})
}

func (h *handler) removeMyPasskey(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	err := h.Operators.RemovePasskey(r.Context(), f.by, f.session.ID, r.PostFormValue("passkey"))
	switch {
	case errors.Is(err, operators.ErrLastWay):
		h.me(w, r, http.StatusConflict, "This is the last way to sign in. Add another one first.")
	case errors.Is(err, operators.ErrUnknown), err == nil:
		http.Redirect(w, r, "/me", http.StatusSeeOther)
	default:
		Fail(w, r, err)
	}
}

// myCodes shows a new key of codes.
func (h *handler) myCodes(w http.ResponseWriter, r *http.Request) {
	o := frameOf(r.Context()).by
	c, err := h.Operators.BeginCodes(r.Context(), o)
	if err != nil {
		Fail(w, r, err)
		return
	}
	h.chooseMine(w, r, o, c, nil)
}

func (h *handler) chooseMine(w http.ResponseWriter, r *http.Request, o operator.Operator, c operators.Codes, wrong error) {
	f, status := h.form(o, "/me/password/confirm", "/me", c, wrong)
	h.render(w, r, look.Page{Status: status, Content: "console/choose", View: "CHOOSE", Title: "Password and code", Data: f})
}

func (h *handler) setPassword(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	recovery, again, err := h.Operators.SetPassword(r.Context(), f.by, f.session.ID, picked(r))
	switch {
	case err == nil:
		h.render(w, r, look.Page{Content: "console/codes", View: "CODES", Title: "Recovery codes", Data: codes{recovery, "/me"}})
	case errors.Is(err, operators.ErrCodes):
		http.Redirect(w, r, "/me/password", http.StatusSeeOther) // it asks for a proof first
	case errors.Is(err, operators.ErrCode), errors.Is(err, operators.ErrPassword):
		h.chooseMine(w, r, f.by, again, err)
	default:
		Fail(w, r, err)
	}
}
