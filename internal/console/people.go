package console

import (
	"errors"
	"net/http"
	"strings"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
)

// somebody is a row of the list of operators.
type somebody struct {
	operator.Account
	operators.Ways
	Sessions []operator.Session
	Waiting  bool // has a link and has not chosen how to sign in
	You      bool
}

// people is what the list of operators shows.
type people struct {
	All     []somebody
	Roles   []operator.Role
	Problem string
	Name    string // what was typed
	Role    operator.Role
}

func (h *handler) showPeople(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	h.people(w, r, http.StatusOK, people{Name: q.Get("name"), Role: operator.Role(q.Get("role"))})
}

func (h *handler) people(w http.ResponseWriter, r *http.Request, status int, p people) {
	all, err := h.Operators.List(r.Context())
	if err != nil {
		Fail(w, r, err)
		return
	}
	p.Roles = operator.Roles
	for _, a := range all {
		row := somebody{Account: a, You: a.ID == frameOf(r.Context()).by.ID}
		if row.Ways, err = h.Operators.WaysOf(r.Context(), a); err == nil {
			row.Sessions, err = h.Operators.Sessions(r.Context(), a.ID)
		}
		if err != nil {
			Fail(w, r, err)
			return
		}
		row.Waiting = !row.Password && len(row.Passkeys) == 0
		p.All = append(p.All, row)
	}
	Render(w, r, h.kit, look.Page{Status: status, Content: "console/people", View: "OPERATORS", Title: "Operators", Data: p})
}

// link is a link for an operator, shown once.
type link struct{ Name, Link string }

func (h *handler) showLink(w http.ResponseWriter, r *http.Request, l link) {
	Render(w, r, h.kit, look.Page{Content: "console/link", View: "LINK", Title: "A link for " + l.Name, Data: l})
}

func (h *handler) addPerson(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSpace(r.PostFormValue("name"))
	_, address, err := h.Operators.Add(r.Context(), OperatorOf(r.Context()).ID, name, operator.Role(r.PostFormValue("role")))
	wrong := ""
	switch {
	case err == nil:
		h.showLink(w, r, link{name, address})
		return
	case errors.Is(err, operators.ErrExists):
		wrong = "There is an operator of this name."
	case operator.CheckName(name) != nil:
		wrong = "A name has a to z, 0 to 9, dots, hyphens and underscores, such as maria.ek."
	default:
		Fail(w, r, err)
		return
	}
	h.people(w, r, http.StatusUnprocessableEntity, people{Problem: wrong, Name: name, Role: operator.Role(r.PostFormValue("role"))})
}

// changed answers after an act on an operator.
func (h *handler) changed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, operators.ErrLastAdmin):
		Message(w, r, http.StatusConflict, "This is the last admin", "Make somebody else an admin first.")
	case errors.Is(err, operators.ErrUnknown):
		Message(w, r, http.StatusNotFound, "There is no such operator", "Somebody may have removed them meanwhile.")
	case err != nil:
		Fail(w, r, err)
	default:
		http.Redirect(w, r, "/operators", http.StatusSeeOther)
	}
}

func (h *handler) setRole(w http.ResponseWriter, r *http.Request) {
	role, err := operator.ParseRole(r.PostFormValue("role"))
	if err != nil {
		Message(w, r, http.StatusBadRequest, "There is no such role", "Choose viewer, operator or admin.")
		return
	}
	h.changed(w, r, h.Operators.SetRole(r.Context(), OperatorOf(r.Context()).ID, r.PathValue("id"), role))
}

func (h *handler) endTheirs(w http.ResponseWriter, r *http.Request) {
	_, err := h.Operators.End(r.Context(), OperatorOf(r.Context()).ID, r.PathValue("id"), "", "")
	h.changed(w, r, err)
}

func (h *handler) resetPerson(w http.ResponseWriter, r *http.Request) {
	address, err := h.Operators.Reset(r.Context(), OperatorOf(r.Context()).ID, r.PathValue("id"))
	if err != nil {
		h.changed(w, r, err)
		return
	}
	h.showLink(w, r, link{r.PostFormValue("name"), address})
}

func (h *handler) removePerson(w http.ResponseWriter, r *http.Request) {
	h.changed(w, r, h.Operators.Remove(r.Context(), OperatorOf(r.Context()).ID, r.PathValue("id")))
}
