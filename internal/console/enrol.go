package console

import (
	"errors"
	"net/http"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/pages/look"
	"samla/internal/qr"
)

// enrolment is what the pages for new operators show.
type enrolment struct {
	operator.Operator
	Path string
}

// chosen is a form with a password and the first code of an app.
type chosen struct {
	operator.Operator
	Action, Back string
	Codes        operators.Codes
	QR           look.QR
	Password     string // what is wrong with it
	Code         string // what is wrong with it
}

// codes are recovery codes, shown once.
type codes struct {
	Codes []string
	To    string
}

// linkPage says that a link does not work, or that the server has failed.
func (h *handler) linkPage(w http.ResponseWriter, r *http.Request, err error) {
	status, text, ok := h.refusal(err)
	if !ok {
		Fail(w, h.with(r, frame{of: h}), err)
		return
	}
	h.show(w, r, look.Page{Status: status, Content: "console/message", View: "LINK_END", Title: "This link does not work", Data: message{"This link does not work", text}})
}

func (h *handler) showEnrol(w http.ResponseWriter, r *http.Request) {
	a, err := h.Operators.Enrolling(r.Context(), r.PathValue("secret"))
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	h.show(w, r, look.Page{Content: "console/enrol", View: "ENROL", Title: "Welcome, " + a.Name, Data: enrolment{a.Operator, r.URL.Path}})
}

// form returns the form with the key of codes.
func (h *handler) form(o operator.Operator, action, back string, c operators.Codes, err error) (chosen, int) {
	f := chosen{Operator: o, Action: action, Back: back, Codes: c}
	if path, side, wrong := qr.Path(c.URI); wrong == nil {
		f.QR = look.QR{Path: path, Side: side}
	}
	status, text, ok := h.refusal(err)
	switch {
	case !ok:
		return f, http.StatusOK
	case status == http.StatusUnprocessableEntity && err == operators.ErrPassword: //nolint:errorlint // the service returns it as it is
		f.Password = text
	default:
		f.Code = text
	}
	return f, status
}

// enrolCodes shows a new key of codes to somebody with a link.
func (h *handler) enrolCodes(w http.ResponseWriter, r *http.Request) {
	secret := r.PathValue("secret")
	a, err := h.Operators.Enrolling(r.Context(), secret)
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	c, err := h.Operators.BeginCodes(r.Context(), a.Operator)
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	h.choose(w, r, a.Operator, secret, c, nil)
}

func (h *handler) choose(w http.ResponseWriter, r *http.Request, o operator.Operator, secret string, c operators.Codes, wrong error) {
	f, status := h.form(o, operators.EnrolPath+secret+"/password/confirm", operators.EnrolPath+secret, c, wrong)
	h.show(w, r, look.Page{Status: status, Content: "console/choose", View: "CHOOSE", Title: "Password and code", Data: f})
}

func picked(r *http.Request) operators.Chosen {
	return operators.Chosen{ID: r.PostFormValue("id"), Password: r.PostFormValue("password"), Code: r.PostFormValue("code")}
}

func (h *handler) enrolPassword(w http.ResponseWriter, r *http.Request) {
	secret := r.PathValue("secret")
	a, err := h.Operators.Enrolling(r.Context(), secret)
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	session, recovery, again, err := h.Operators.EnrolPassword(r.Context(), secret, picked(r), from(r))
	if errors.Is(err, operators.ErrCodes) { // the link is the proof: it may begin anew
		if again, err = h.Operators.BeginCodes(r.Context(), a.Operator); err == nil {
			err = operators.ErrCodes
		}
	}
	if err != nil && again.ID != "" {
		h.choose(w, r, a.Operator, secret, again, err)
		return
	}
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	h.keep(w, session)
	h.show(w, r, look.Page{Content: "console/codes", View: "CODES", Title: "Recovery codes", Data: codes{recovery, "/"}})
}

func (h *handler) beginEnrolPasskey(w http.ResponseWriter, r *http.Request) {
	c, err := h.Operators.BeginEnrolPasskey(r.Context(), r.PathValue("secret"))
	if err != nil {
		h.said(w, r, err)
		return
	}
	answer(w, http.StatusOK, c)
}

func (h *handler) enrolPasskey(w http.ResponseWriter, r *http.Request) {
	b, err := body(r)
	if err != nil {
		h.said(w, r, operators.ErrPasskey)
		return
	}
	session, err := h.Operators.EnrolPasskey(r.Context(), r.PathValue("secret"), r.PathValue("id"), b, from(r))
	if err != nil {
		h.said(w, r, err)
		return
	}
	h.keep(w, session)
	answer(w, http.StatusOK, map[string]string{"to": "/"})
}
