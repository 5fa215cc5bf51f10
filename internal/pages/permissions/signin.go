package permissions

import (
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"time"

	"samla/internal/pages/look"
	service "samla/internal/permissions"
	"samla/internal/qr"
	"samla/internal/words"
)

// The path where a person signs in, and the cookie that keeps the order meanwhile.
const (
	signInPath   = Path + "/signin"
	assetPath    = Path + "/assets/"
	signInCookie = "permissions-signin"
)

var bundle = func() *look.Bundle {
	b, err := look.NewBundle(assetPath, sub("assets"), "signin.js")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return b
}()

// signInData is what the pages show on which a person signs in.
type signInData struct {
	Page, State string
	QR          look.QR
	Message     string
	AppURL      template.URL
	Operator    string
	Buttons     []look.Button
	Lead, More  string
}

func (h *handler) signInCookieName() string {
	if h.secure() {
		return "__Host-" + signInCookie
	}
	return signInCookie
}

func (h *handler) keepSignIn(w http.ResponseWriter, kept string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: h.signInCookieName(), Value: kept, Path: "/", HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode, MaxAge: int(age / time.Second)})
}

func (h *handler) keptSignIn(r *http.Request) string {
	if c, err := r.Cookie(h.signInCookieName()); err == nil {
		return c.Value
	}
	return ""
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// ways are the buttons that begin to sign in: a computer scans first.
func (h *handler) ways(r *http.Request, say *words.Texts) []look.Button {
	this := look.Button{Name: "way", Value: "this", Icon: "phone", Kind: "side", Text: say.Say("review.same", words.Values{})}
	other := look.Button{Name: "way", Value: "other", Icon: "qr", Kind: "side", Text: say.Say("review.other", words.Values{})}
	both := []look.Button{other, this}
	if look.OnPhone(r.UserAgent()) {
		both = []look.Button{this, other}
	}
	both[0].Kind = "main"
	return both
}

// begin starts an order, and sends the browser on to how it stands: a reload begins nothing.
func (h *handler) begin(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.PostFormValue("way") == "" { // cancelled
		h.Service.CancelSignIn(r.Context(), h.keptSignIn(r))
		h.keepSignIn(w, "", -time.Second)
		http.Redirect(w, r, Path, http.StatusSeeOther)
		return
	}
	l := h.kit.Language(r)
	h.Service.CancelSignIn(r.Context(), h.keptSignIn(r)) // one at a time in a browser
	kept, err := h.Service.BeginSignIn(r.Context(), address(r), words.In(l).Say("perm.signin.visible", words.Values{Operator: h.Operator}), string(l), r.PostFormValue("way") == "this")
	switch {
	case errors.Is(err, service.ErrNoBankID):
		h.end(w, r, http.StatusNotFound, "link.unknown.h1", "link.unknown.lead")
	case errors.Is(err, service.ErrTooMany):
		h.signInEnds(w, r, http.StatusTooManyRequests, "perm.signin.many")
	case err != nil:
		h.Log.Warn("a person could not begin to sign in", "error", err)
		h.signInEnds(w, r, http.StatusServiceUnavailable, "rfa.5")
	default:
		h.keepSignIn(w, kept, service.SignInLife)
		http.Redirect(w, r, signInPath, http.StatusSeeOther)
	}
}

// signingIn shows how the order stands that the browser keeps.
func (h *handler) signingIn(w http.ResponseWriter, r *http.Request) {
	if look.Passive(r) {
		return
	}
	kept := h.keptSignIn(r)
	if kept == "" {
		http.Redirect(w, r, Path, http.StatusSeeOther)
		return
	}
	in, err := h.Service.LookSignIn(r.Context(), kept, address(r))
	switch {
	case errors.Is(err, service.ErrSignIn):
		h.keepSignIn(w, "", -time.Second)
		if live, verr := h.visits(r); verr == nil && len(live) > 0 { // another tab has signed in
			http.Redirect(w, r, Path, http.StatusSeeOther)
			return
		}
		h.signInEnds(w, r, http.StatusGone, "rfa.8")
	case err != nil:
		h.broken(w, r, err)
	case in.Key != "":
		h.keepSignIn(w, "", -time.Second)
		h.setCookie(w, in.Key, 0)
		http.Redirect(w, r, Path, http.StatusSeeOther)
	case in.Known:
		h.keepSignIn(w, "", -time.Second)
		h.signInEnds(w, r, http.StatusOK, "perm.signin.none")
	case in.Elsewhere:
		h.keepSignIn(w, "", -time.Second)
		h.signInEnds(w, r, http.StatusForbidden, "perm.signin.elsewhere")
	case in.Failed:
		h.keepSignIn(w, "", -time.Second)
		h.signInEnds(w, r, http.StatusOK, messageKey(in.Message))
	default:
		if in.Kept != "" {
			h.keepSignIn(w, in.Kept, in.Left)
		}
		h.waits(w, r, in)
	}
}

// messageKey returns the text of a message of BankID.
func messageKey(code string) words.Key {
	key := words.Key("rfa." + strings.ToLower(strings.TrimPrefix(code, "RFA")))
	if code == "" || !words.In(words.English).Has(key) {
		return "rfa.22"
	}
	return key
}

// waits shows what is to be done: a code, a button, or the app.
func (h *handler) waits(w http.ResponseWriter, r *http.Request, in service.SignIn) {
	l := h.kit.Language(r)
	say := words.In(l)
	minutes, seconds := int(in.Left.Minutes()), int(in.Left.Seconds())%60
	v := words.Values{Operator: h.Operator, Institution: h.Operator, Min: fmt.Sprint(minutes), Sec: fmt.Sprintf("%02d", seconds)}
	d := signInData{Page: signInPath, State: "in", Operator: h.Operator, Message: say.Say(messageKey(in.Message), v)}
	content, title := "perm/in-app", words.Key("app.h1")
	switch {
	case in.QR != "":
		d.State, content, title = "qr", "perm/qr", "qr.h1"
		d.QR = look.QR{Alt: say.Say("qr.alt", v), Renews: say.Say("qr.renews", v), Stale: say.Say("qr.stale", v), Left: say.Say("qr.left", v),
			Offset: min(max(int(100*(1-float64(in.Left)/float64(service.SignInLife))), 0), 100)}
		d.QR.Path, d.QR.Side, _ = qr.Path(in.QR)
	case in.Token != "":
		d.State, content = "app", "perm/app"
		d.AppURL = look.AppURL(in.Token, r.UserAgent(), h.PublicURL()+signInPath)
	}
	h.render(w, r, look.Page{Language: string(l), Content: content, View: "SIGN_IN_" + strings.ToUpper(d.State), Title: say.Say(title, v), Brand: h.Operator, Action: "perm/stop",
		Scripts: []string{bundle.Address("signin.js")}, RefreshPlain: 2, Data: d, Languages: here(r)})
}

// signInEnds says why the person is not signed in, and offers to begin again.
func (h *handler) signInEnds(w http.ResponseWriter, r *http.Request, status int, lead words.Key) {
	l := h.kit.Language(r)
	say := words.In(l)
	v := words.Values{Operator: h.Operator, N: 5}
	h.render(w, r, look.Page{Status: status, Language: string(l), Content: "perm/signin", View: "SIGN_IN_ENDED", Title: say.Say("perm.signin.h1", v), Brand: h.Operator, Languages: Path,
		Data: signInData{Page: signInPath, Lead: say.Say(lead, v), More: say.Say("perm.signin.link", v), Buttons: h.ways(r, say)}})
}
