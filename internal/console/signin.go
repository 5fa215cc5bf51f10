package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"samla/internal/operators"
	"samla/internal/pages/look"
	"samla/internal/words"
)

func escape(text string) string { return url.QueryEscape(text) }

// newOutside returns the kit of the pages for people who have not signed in: in the middle,
// without navigation.
func newOutside(zone *time.Location) (*look.Kit, error) {
	return look.New(look.Options{Files: templates, Patterns: []string{"templates/*.html"}, Offer: words.Offer{words.English}, Zone: zone})
}

// show answers with a page for people who have not signed in.
func (h *handler) show(w http.ResponseWriter, r *http.Request, p look.Page) {
	p.Language, p.Brand, p.NoFooter, p.Scripts = string(words.English), "Samla console", true, []string{assets.Address("passkey.js")}
	p.Title += " – Samla console"
	if err := h.outside.Render(w, r, p); err != nil {
		Fail(w, h.with(r, frame{of: h}), err)
	}
}

// signIn is what the page of the sign-in shows.
type signIn struct {
	Name, To string
	Problem  string
}

func (h *handler) signInPage(w http.ResponseWriter, r *http.Request, status int, s signIn) {
	h.show(w, r, look.Page{Status: status, Content: "console/sign-in", View: "SIGN_IN", Title: "Sign in", Data: s})
}

func (h *handler) showSignIn(w http.ResponseWriter, r *http.Request) {
	to := local(r.URL.Query().Get("to"))
	if _, err := h.whose(r); err == nil {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	h.signInPage(w, r, http.StatusOK, signIn{To: to})
}

// refusal says why somebody could not sign in, and the status.
func (h *handler) refusal(err error) (status int, text string, ok bool) {
	var wait *operators.WaitError
	switch {
	case errors.As(err, &wait):
		return http.StatusTooManyRequests, "There were too many wrong attempts. The next one is possible at " + wait.Until.In(h.Zone).Format("15:04:05") + " (" + words.ZoneName(h.Zone) + " time).", true
	case errors.Is(err, operators.ErrWrong):
		return http.StatusUnauthorized, "The name, the password or the code is wrong.", true
	case errors.Is(err, operators.ErrLink):
		return http.StatusGone, "This link was used, has expired, or is wrong. Ask an admin for another one.", true
	case errors.Is(err, operators.ErrPasskey):
		return http.StatusBadRequest, "The passkey could not be taken. Try again.", true
	case errors.Is(err, operators.ErrCode):
		return http.StatusUnprocessableEntity, "The code is wrong. Is the clock of the phone right?", true
	case errors.Is(err, operators.ErrCodes):
		return http.StatusUnprocessableEntity, "The key for the app has expired. Here is a new one: take it into the app, and type its code.", true
	case errors.Is(err, operators.ErrPassword):
		return http.StatusUnprocessableEntity, "The password needs 12 characters or more, and must not be your name.", true
	}
	return 0, "", false
}

func (h *handler) trySignIn(w http.ResponseWriter, r *http.Request) {
	t := operators.Try{Name: r.PostFormValue("name"), Password: r.PostFormValue("password"), Code: r.PostFormValue("code")}
	to := local(r.PostFormValue("to"))
	secret, err := h.Operators.SignIn(r.Context(), t, from(r))
	if status, text, ok := h.refusal(err); ok {
		h.signInPage(w, r, status, signIn{Name: t.Name, To: to, Problem: text})
		return
	}
	if err != nil {
		Fail(w, h.with(r, frame{of: h}), err)
		return
	}
	h.keep(w, secret)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (h *handler) signOut(w http.ResponseWriter, r *http.Request) {
	f := frameOf(r.Context())
	if _, err := h.Operators.End(r.Context(), f.by.ID, f.by.ID, f.session.ID, ""); err != nil && f.session.ID != "" {
		Fail(w, r, err)
		return
	}
	h.keep(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// maxAnswer is the most that a browser says, in a form or about a passkey, in bytes. Nobody
// has to sign in to send one.
const maxAnswer = 64 << 10

// answer writes what a script gets.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // nobody waits for it otherwise
}

// said answers a script with what went wrong.
func (h *handler) said(w http.ResponseWriter, r *http.Request, err error) {
	status, text, ok := h.refusal(err)
	if !ok {
		h.Log.ErrorContext(r.Context(), "a passkey of the console failed", "path", r.Pattern, "error", err)
		status, text = http.StatusInternalServerError, "This did not work. The server has written the reason to its log."
	}
	if errors.Is(err, operators.ErrWrong) {
		text = "This passkey is not known here."
	}
	answer(w, status, map[string]string{"error": text})
}

func body(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) } // New limits it

func (h *handler) beginPasskey(w http.ResponseWriter, r *http.Request) {
	c, err := h.Operators.BeginPasskeySignIn(r.Context())
	if err != nil {
		h.said(w, r, err)
		return
	}
	answer(w, http.StatusOK, c)
}

func (h *handler) passkey(w http.ResponseWriter, r *http.Request) {
	b, err := body(r)
	if err != nil {
		h.said(w, r, operators.ErrWrong)
		return
	}
	secret, err := h.Operators.PasskeySignIn(r.Context(), r.PathValue("id"), b, from(r))
	if err != nil {
		h.said(w, r, err)
		return
	}
	h.keep(w, secret)
	answer(w, http.StatusOK, map[string]string{"to": local(r.URL.Query().Get("to"))})
}

// showDoor shows the button of a door: a GET signs nobody in.
func (h *handler) showDoor(w http.ResponseWriter, r *http.Request) {
	h.show(w, r, look.Page{Content: "console/door", View: "DOOR", Title: "Enter the console"})
}

func (h *handler) enterDoor(w http.ResponseWriter, r *http.Request) {
	secret, err := h.Operators.Enter(r.Context(), r.PathValue("secret"), from(r))
	if err != nil {
		h.linkPage(w, r, err)
		return
	}
	h.keep(w, secret)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
